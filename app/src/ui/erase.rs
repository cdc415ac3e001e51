//! Giving up the type of a view, without linking what never runs.
//!
//! Leptos' `into_any` keeps a table of functions for every view whose type is given up, among them a second,
//! asynchronous way to hydrate, for routes that load lazily. Islands hydrate at once, and that second way was a
//! quarter of the browser half. [`Erase`] gives Leptos one type only, which keeps a smaller table of its own.

use std::any::{Any, TypeId};

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

/// Views of different types become one type.
pub trait Erase: RenderHtml {
    /// This view as any view. It borrows nothing, so it need not be made its own: that would copy every attribute.
    fn erased(self) -> AnyView
    where
        Self: Send + 'static,
    {
        Erased(Box::new(self)).into_any()
    }
}

impl<V: RenderHtml> Erase for V {}

/// What a view can do once its type is forgotten.
trait Shape: Send {
    fn of(&self) -> TypeId;
    fn build(self: Box<Self>) -> Shown;
    /// Only for a state that a view of the same type has made.
    fn rebuild(self: Box<Self>, state: &mut dyn Any);
    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown;
    #[cfg(feature = "ssr")]
    fn html_len(&self) -> usize;
    #[cfg(feature = "ssr")]
    fn to_html(
        self: Box<Self>,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    );
}

/// What stands in the page for a view that is nothing.
#[cfg(feature = "ssr")]
const NOTHING: &str = "<!--<() />-->";

impl<V: RenderHtml + Send + 'static> Shape for V {
    fn of(&self) -> TypeId {
        TypeId::of::<V>()
    }

    fn build(self: Box<Self>) -> Shown {
        let placeholder = (!V::EXISTS).then(Rndr::create_placeholder);
        Shown { of: TypeId::of::<V>(), state: Box::new((*self).build()), placeholder }
    }

    fn rebuild(self: Box<Self>, state: &mut dyn Any) {
        if let Some(state) = state.downcast_mut::<V::State>() {
            (*self).rebuild(state);
        }
    }

    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown {
        let state = Box::new((*self).hydrate::<true>(cursor, position));
        let placeholder = (!V::EXISTS).then(|| cursor.next_placeholder(position));
        Shown { of: TypeId::of::<V>(), state, placeholder }
    }

    #[cfg(feature = "ssr")]
    fn html_len(&self) -> usize {
        RenderHtml::html_len(self)
    }

    #[cfg(feature = "ssr")]
    fn to_html(
        self: Box<Self>,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        (*self).to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
        if !V::EXISTS {
            buf.push_str(NOTHING);
        }
    }
}

/// The state of a view, as something that can be asked for its type.
trait State: Mountable {
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<S: Mountable + 'static> State for S {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// A view that is in the page.
struct Shown {
    of: TypeId,
    state: Box<dyn State>,
    placeholder: Option<Placeholder>,
}

impl Mountable for Shown {
    fn unmount(&mut self) {
        self.state.unmount();
        if let Some(placeholder) = &mut self.placeholder {
            placeholder.unmount();
        }
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.state.mount(parent, marker);
        if let Some(placeholder) = &mut self.placeholder {
            placeholder.mount(parent, marker);
        }
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.state.insert_before_this(child)
            || self.placeholder.as_ref().is_some_and(|placeholder| placeholder.insert_before_this(child))
    }

    fn elements(&self) -> Vec<Element> {
        self.state.elements()
    }
}

/// A view whose type is forgotten.
struct Erased(Box<dyn Shape>);

impl Render for Erased {
    type State = Shown;

    fn build(self) -> Shown {
        self.0.build()
    }

    fn rebuild(self, state: &mut Shown) {
        if (*self.0).of() == state.of {
            self.0.rebuild((*state.state).as_any());
            return;
        }
        let mut new = self.0.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

impl AddAnyAttr for Erased {
    type Output<A: Attribute> = Self;

    /// Attributes are never spread over parts, so there is nothing to add them to.
    fn add_any_attr<A: Attribute>(self, _attribute: A) -> Self::Output<A> {
        self
    }
}

impl RenderHtml for Erased {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {
        // Everything is loaded before rendering starts, so nothing has to be found out by trying.
    }

    async fn resolve(self) -> Self {
        self
    }

    #[cfg(feature = "ssr")]
    fn html_len(&self) -> usize {
        (*self.0).html_len()
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
        self.0.to_html(buf, position, escape, mark_branches, extra_attrs);
        #[cfg(not(feature = "ssr"))]
        let _ = (buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Shown {
        self.0.hydrate(cursor, position)
    }

    fn into_owned(self) -> Self {
        self
    }
}
