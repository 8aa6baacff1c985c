//! The symbols of `hawser.sys`: reports about the loaded image can name its functions.

#[test]
fn the_entry_point_of_the_image_has_its_name() {
    let Some(image) = crate::common::image() else {
        println!("SKIPPED: no image of the driver was given, so its symbols were not read");
        return;
    };
    for into in [0, 1] {
        let found = image.function_at(image.entry() + into);
        let (name, place) = found.expect("the symbols lie beside the image");
        assert!(name.ends_with("::FxDriverEntry"), "{name}");
        assert_eq!(place, into);
    }
}
