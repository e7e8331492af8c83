//! The output of `cargo local`, which is a picture in the README.

use std::fs;
use std::path::Path;

use aws_local::demo::screen::{Line, WIDTH};
use aws_local::demo::{self, picture};

use crate::world::World;

fn shown() -> Vec<Line> {
    let world = World::with(&demo::SETTINGS);
    let mut lines = Vec::new();
    let succeeded = demo::play(&world.aws, &mut |line| lines.push(line));
    assert!(succeeded.expect("the demo's world"), "{}", world.log());
    lines
}

#[test]
fn the_picture_in_the_readme_is_what_cargo_local_shows() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.svg");
    let picture = picture::svg("cargo local", &shown());
    assert!(
        fs::read_to_string(file).unwrap_or_default() == picture,
        "docs/demo.svg is outdated: run `cargo local --svg docs/demo.svg`, and look at it. It must be:\n{picture}"
    );
}

#[test]
fn what_cargo_local_shows_fits_its_columns() {
    for line in shown() {
        assert!(line.width() <= WIDTH, "{line}");
        let mut column = 0;
        for piece in line.pieces() {
            assert!(piece.column >= column, "texts overlap: {line}");
            column = piece.column + piece.text.chars().count();
        }
    }
}
