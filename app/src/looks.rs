//! How the console looks to one person: a few settings with a few values each, kept in cookies.
//!
//! Cookies and not the browser's storage, because the server has to render the first byte right. Nothing here
//! changes what a page shows, only how; what changes what it shows is in the URL.

/// One setting. Its first value is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The field of the form; `data-` and this is the attribute that the style sheet reads.
    pub name: &'static str,
    /// The cookie.
    pub cookie: &'static str,
    /// What people read.
    pub title: &'static str,
    /// Wire form and words of every value.
    pub values: &'static [(&'static str, &'static str)],
}

/// Colours.
pub const THEME: Setting = Setting {
    name: "theme",
    cookie: "vt_theme",
    title: "Theme",
    values: &[("system", "as the system says"), ("light", "light"), ("dark", "dark")],
};
/// How close things are.
pub const DENSITY: Setting = Setting {
    name: "density",
    cookie: "vt_density",
    title: "Density",
    values: &[("comfortable", "comfortable, rows of 40 pixels"), ("compact", "compact, rows of 28 pixels")],
};
/// Which clocks are shown.
pub const TIMES: Setting = Setting {
    name: "times",
    cookie: "vt_times",
    title: "Times",
    values: &[("utc", "UTC"), ("local", "UTC and local time (needs JavaScript)")],
};
/// Whether single keys do something.
pub const SHORTCUTS: Setting = Setting {
    name: "keys",
    cookie: "vt_keys",
    title: "Shortcuts",
    values: &[("on", "on"), ("off", "off: no key does anything by itself")],
};
/// Whether anything may move.
pub const MOTION: Setting = Setting {
    name: "motion",
    cookie: "vt_motion",
    title: "Motion",
    values: &[("system", "as the system says"), ("none", "none")],
};

/// All settings, in the order of the form.
pub const SETTINGS: [Setting; 5] = [THEME, DENSITY, TIMES, SHORTCUTS, MOTION];

impl Setting {
    /// The value with this wire form, where there is one.
    #[must_use]
    pub fn known(&self, text: &str) -> Option<&'static str> {
        self.values.iter().map(|(value, _)| *value).find(|value| *value == text)
    }
}

/// What one person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks([&'static str; SETTINGS.len()]);

impl Default for Looks {
    fn default() -> Self {
        Self::read(|_| None)
    }
}

impl Looks {
    /// Reads every setting; what is missing or unknown is the default.
    #[must_use]
    pub fn read(cookie: impl Fn(&str) -> Option<String>) -> Self {
        Self(SETTINGS.map(|setting| {
            let chosen = cookie(setting.cookie).and_then(|text| setting.known(&text));
            chosen.unwrap_or(setting.values[0].0)
        }))
    }

    /// What is chosen for a setting.
    #[must_use]
    pub fn get(&self, setting: &Setting) -> &'static str {
        let at = SETTINGS.iter().position(|other| other.name == setting.name);
        at.map_or(setting.values[0].0, |at| self.0[at])
    }

    /// The value of the attribute; `None` for the default.
    #[must_use]
    pub fn attribute(&self, setting: &Setting) -> Option<&'static str> {
        Some(self.get(setting)).filter(|value| *value != setting.values[0].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_cookie_is_the_default_and_a_default_has_no_attribute() {
        let looks = Looks::read(|name| match name {
            "vt_theme" => Some("dark".to_owned()),
            "vt_density" => Some("\"><script>".to_owned()),
            _ => None,
        });
        assert_eq!((looks.get(&THEME), looks.attribute(&THEME)), ("dark", Some("dark")));
        assert_eq!((looks.get(&DENSITY), looks.attribute(&DENSITY)), ("comfortable", None));
        assert_eq!(Looks::default().attribute(&MOTION), None);
    }
}
