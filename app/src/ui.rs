//! Small building blocks that know no domain word: text from outside, times, ids, banners, empty states.
//!
//! Functions take plain values and return views; nothing here reads a clock or the board.

pub mod banner;
pub mod erase;
pub mod form;
pub mod id_chip;
pub mod rows;
#[cfg(feature = "ssr")]
pub mod table;
pub mod text;
pub mod time;
