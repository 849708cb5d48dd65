//! Colours.

/// Red, green, blue and opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Red, green and blue.
    pub rgb: [u8; 3],
    /// From 0, which is not seen, to 255, which hides all below.
    pub opacity: u8,
}

impl Colour {
    /// A colour that hides all below.
    pub const fn new(rgb: [u8; 3]) -> Self {
        Self { rgb, opacity: 255 }
    }

    /// The same colour with another opacity.
    #[must_use]
    pub const fn with_opacity(self, opacity: u8) -> Self {
        Self { opacity, ..self }
    }

    /// The colour a `share` of the way to another one.
    #[must_use]
    pub fn mix(self, to: Self, share: f32) -> Self {
        let rgb = std::array::from_fn(|channel| {
            let (from, to) = (f32::from(self.rgb[channel]), f32::from(to.rgb[channel]));
            (to - from).mul_add(share, from).round() as u8
        });
        Self { rgb, opacity: self.opacity }
    }
}

/// What is drawn on.
pub const PAPER: Colour = Colour::new([255, 255, 255]);
/// Text and axes.
pub const INK: Colour = Colour::new([34, 34, 34]);
/// Lines that help the eye.
pub const PALE: Colour = Colour::new([226, 226, 226]);

/// Colours that are told apart by people who see colours differently (Okabe and Ito, 2008), and the darker
/// ones first: what is thin needs contrast.
pub const PALETTE: [Colour; 7] = [
    Colour::new([0, 114, 178]),
    Colour::new([213, 94, 0]),
    Colour::new([0, 158, 115]),
    Colour::new([204, 121, 167]),
    Colour::new([230, 159, 0]),
    Colour::new([86, 180, 233]),
    Colour::new([120, 120, 120]),
];

/// The colour of a class, by its number; they come again where there are more classes than colours.
pub const fn class_colour(class: usize) -> Colour {
    PALETTE[class % PALETTE.len()]
}
