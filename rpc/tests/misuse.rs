//! What `#[service]` refuses, and at which of the user's lines it says so.

#[test]
fn misuse_is_told_at_the_line_that_is_wrong() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
