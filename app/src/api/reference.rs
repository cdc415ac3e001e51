//! The API's document as people read it: what can be asked for, what goes in, and what comes out.

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What holds for all operations.
    pub about: String,
    /// Operations by subject.
    pub sections: Vec<Section>,
    /// What bodies are made of, by name.
    pub shapes: Vec<Shape>,
}

/// The operations of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The subject.
    pub name: String,
    /// By path.
    pub operations: Vec<Operation>,
}

/// Something that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// How.
    pub method: String,
    /// Where.
    pub path: String,
    /// What for.
    pub about: String,
    /// What goes into path, query and headers.
    pub parameters: Vec<Field>,
    /// What is sent along.
    pub body: Option<Content>,
    /// What comes back.
    pub answers: Vec<Answer>,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its media type.
    pub media: String,
    /// What it holds.
    pub kind: Kind,
}

/// An answer by its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: String,
    /// What it means.
    pub about: String,
    /// What it holds.
    pub content: Option<Content>,
}

/// A parameter, or a field of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Where it goes: `path`, `query`, `header`; empty for fields.
    pub place: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be there.
    pub needed: bool,
    /// What it means.
    pub about: String,
}

/// What something holds, in words, and the shape that says more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// `text`, `list of Receipt`.
    pub words: String,
    /// The name of a shape.
    pub shape: Option<String>,
}

/// What a body is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What it is where it has no fields.
    pub kind: Kind,
    /// Its fields.
    pub fields: Vec<Field>,
}
