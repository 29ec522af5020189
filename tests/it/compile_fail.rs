//! What must not compile: the proofs of a request cannot be made by hand, and there is no way round them.

#[test]
fn nothing_leaves_and_nothing_comes_back_without_its_proof() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
