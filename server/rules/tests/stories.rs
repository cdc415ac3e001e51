//! The rules, told as stories: what is recorded, what time it is, and what is said about it.

mod stories {
    mod builders;
    mod chains;
    mod hostile;
    mod plans;
    mod statuses;
    mod verdicts;
    mod whys;
}
