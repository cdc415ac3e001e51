//! A list of rows of which only those are touched that came, changed or went.
//!
//! Leptos' `<For>` takes every row out of the page and puts it back as soon as two come at once: it joins the moves of
//! neighbours into one, and the first of them is a real move. The browser then lays the whole list out anew, which
//! took half a second of a slow processor for every handful of events. The rows of these lists never change places
//! among themselves, so here none moves.

use leptos::{
    prelude::*,
    tachys::{
        html::attribute::{Attribute, any_attribute::AnyAttribute},
        hydration::Cursor,
        renderer::{
            Rndr,
            types::{Element, Node, Placeholder},
        },
        view::{Mountable, Position, PositionState, add_attr::AddAnyAttr},
    },
};

/// Lines with a key each, and how a line is drawn. A line whose key is in the page already is not drawn again.
pub struct Rows<K, L> {
    lines: Vec<(K, L)>,
    draw: Box<dyn Fn(L) -> AnyView + Send>,
}

impl<K, L> Rows<K, L> {
    /// Keys have to differ from each other.
    pub fn new(lines: Vec<(K, L)>, draw: impl Fn(L) -> AnyView + Send + 'static) -> Self {
        Self { lines, draw: Box::new(draw) }
    }
}

/// What is in the page.
pub struct Drawn<K> {
    rows: Vec<(K, <AnyView as Render>::State)>,
    end: Placeholder,
}

impl<K: PartialEq + 'static, L: 'static> Render for Rows<K, L> {
    type State = Drawn<K>;

    fn build(self) -> Drawn<K> {
        let rows = self.lines.into_iter().map(|(key, line)| (key, (self.draw)(line).build())).collect();
        Drawn { rows, end: Rndr::create_placeholder() }
    }

    fn rebuild(self, state: &mut Drawn<K>) {
        let mut kept = Vec::with_capacity(state.rows.len());
        for (key, mut row) in std::mem::take(&mut state.rows) {
            if self.lines.iter().any(|(wanted, _)| *wanted == key) {
                kept.push((key, row));
            } else {
                row.unmount();
            }
        }
        let mut kept = kept.into_iter().peekable();
        state.rows.reserve(self.lines.len());
        for (key, line) in self.lines {
            if let Some(row) = kept.next_if(|(known, _)| *known == key) {
                state.rows.push(row);
                continue;
            }
            let mut row = (self.draw)(line).build();
            match kept.peek() {
                Some((_, next)) => next.insert_before_this(&mut row),
                None => state.end.insert_before_this(&mut row),
            };
            state.rows.push((key, row));
        }
        // Those that stand in another order now have been drawn again above.
        for (_, mut row) in kept {
            row.unmount();
        }
    }
}

impl<K: PartialEq + Send + 'static, L: Send + 'static> RenderHtml for Rows<K, L> {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {
        // Everything is loaded before rendering starts, so nothing has to be found out by trying.
    }

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        #[cfg(feature = "ssr")]
        {
            for (_, line) in self.lines {
                let row = (self.draw)(line);
                row.to_html_with_buf(buf, position, escape, mark_branches, extra_attrs.clone());
                *position = Position::NextChild;
            }
            // The browser half finds the end of the list by it.
            buf.push_str("<!>");
        }
        #[cfg(not(feature = "ssr"))]
        let _ = (buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Drawn<K> {
        let draw = self.draw;
        let rows = self.lines.into_iter().map(|(key, line)| {
            let row = draw(line).hydrate::<FROM_SERVER>(cursor, position);
            position.set(Position::NextChild);
            (key, row)
        });
        let rows = rows.collect();
        let end = cursor.next_placeholder(position);
        position.set(Position::NextChild);
        Drawn { rows, end }
    }

    fn into_owned(self) -> Self {
        self
    }
}

impl<K: PartialEq + Send + 'static, L: Send + 'static> AddAnyAttr for Rows<K, L> {
    type Output<A: Attribute> = Self;

    /// Attributes are never spread over lists, so there is nothing to add them to.
    fn add_any_attr<A: Attribute>(self, _attribute: A) -> Self::Output<A> {
        self
    }
}

impl<K: 'static> Mountable for Drawn<K> {
    fn unmount(&mut self) {
        for (_, row) in &mut self.rows {
            row.unmount();
        }
        self.end.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        for (_, row) in &mut self.rows {
            row.mount(parent, marker);
        }
        self.end.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self.rows.first() {
            Some((_, first)) => first.insert_before_this(child),
            None => self.end.insert_before_this(child),
        }
    }

    fn elements(&self) -> Vec<Element> {
        self.rows.iter().flat_map(|(_, row)| row.elements()).collect()
    }
}
