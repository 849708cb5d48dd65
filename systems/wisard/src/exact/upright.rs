//! Pictures that are made upright and equally large, each by itself.

/// Standard deviation of the ink, across and down, as a share of the sides.
const ACROSS: f64 = 1.0 / 6.0;
const DOWN: f64 = 1.0 / 5.0;
/// Pictures are made larger or smaller by this factor at most.
const MOST: f64 = 1.6;

/// Makes pictures of one size upright.
///
/// A picture is moved so that the centre of its ink is in the middle, sheared so that its ink does not lean to
/// either side, and stretched so that it has the same spread in all pictures: moment normalisation (R. G. Casey,
/// "Moment normalization of handprinted characters", 1970). It depends on nothing but the picture. A pixel has
/// as much ink as it is above the least value of the range.
#[derive(Debug, Clone)]
pub(super) struct Upright {
    width: usize,
    height: usize,
    least: f64,
}

/// Where the ink is.
struct Moments {
    centre: [f64; 2],
    /// How far the ink goes to the right a line further down.
    lean: f64,
    /// Standard deviations across, along the lean, and down.
    spread: [f64; 2],
}

impl Upright {
    pub fn new([width, height]: [usize; 2], least: f64) -> Self {
        Self { width, height, least }
    }

    /// Puts the upright picture in the place of the picture.
    pub fn apply(&self, picture: &mut [f64]) {
        let Some(Moments { centre, lean, spread }) = self.moments(picture) else { return };
        let goal = [ACROSS * self.width as f64, DOWN * self.height as f64];
        let scale = |axis: usize| (spread[axis] / goal[axis]).clamp(1.0 / MOST, MOST);
        let (across, down) = (scale(0), scale(1));
        let before = picture.to_vec();
        let middle = [(self.width - 1) as f64 / 2.0, (self.height - 1) as f64 / 2.0];
        for (line, pixels) in picture.chunks_exact_mut(self.width).enumerate() {
            let y = (line as f64 - middle[1]) * down;
            let begin = centre[0] + lean * y;
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let x = (column as f64 - middle[0]) * across;
                *pixel = self.between(&before, [begin + x, centre[1] + y]);
            }
        }
    }

    /// Those of a picture that has ink.
    fn moments(&self, picture: &[f64]) -> Option<Moments> {
        // Of the ink, times powers of the column and of the line.
        let [mut all, mut x, mut y, mut xx, mut xy, mut yy] = [0.0; 6];
        for (line, pixels) in picture.chunks_exact(self.width).enumerate() {
            let [mut ink, mut ink_x, mut ink_xx] = [0.0; 3];
            for (column, pixel) in pixels.iter().enumerate() {
                let (here, column) = ((pixel - self.least).max(0.0), column as f64);
                ink += here;
                ink_x += here * column;
                ink_xx += here * column * column;
            }
            let line = line as f64;
            all += ink;
            x += ink_x;
            xx += ink_xx;
            y += ink * line;
            xy += ink_x * line;
            yy += ink * line * line;
        }
        if all <= 0.0 {
            return None;
        }
        let centre = [x / all, y / all];
        let (across, down) = (xx / all - centre[0] * centre[0], yy / all - centre[1] * centre[1]);
        let both = xy / all - centre[0] * centre[1];
        let lean = if down > 0.0 { both / down } else { 0.0 };
        let spread = [across - lean * both, down].map(|variance| variance.max(0.0).sqrt());
        Some(Moments { centre, lean, spread })
    }

    /// The value between four pixels; what lies outside has none.
    fn between(&self, picture: &[f64], [x, y]: [f64; 2]) -> f64 {
        let (left, top) = (x.floor(), y.floor());
        let value = |x: f64, y: f64| {
            let inside = x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64;
            if inside { picture[y as usize * self.width + x as usize] } else { self.least }
        };
        let line = |y: f64| value(left, y) * (1.0 - (x - left)) + value(left + 1.0, y) * (x - left);
        line(top) * (1.0 - (y - top)) + line(top + 1.0) * (y - top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bar of ink in a picture of 20 by 20 pixels.
    fn bar(ink: impl Fn(i32, i32) -> bool) -> Vec<f64> {
        (0..400).map(|index| if ink(index % 20, index / 20) { 255.0 } else { 0.0 }).collect()
    }

    #[test]
    fn what_leans_or_lies_elsewhere_becomes_alike() {
        let upright = Upright::new([20, 20], 0.0);
        let made = |mut picture: Vec<f64>| {
            upright.apply(&mut picture);
            picture
        };
        let straight = made(bar(|x, y| (8..11).contains(&x) && (4..16).contains(&y)));
        let elsewhere = made(bar(|x, y| (12..15).contains(&x) && (6..18).contains(&y)));
        let differ = straight.iter().zip(&elsewhere).map(|(a, b)| (a - b).abs());
        assert!(differ.fold(0.0, f64::max) < 1e-6, "but for rounding");
        let leaning = made(bar(|x, y| (2 + y..5 + y).contains(&(x * 2 - 4)) && (4..16).contains(&y)));
        let moments = upright.moments(&leaning).unwrap();
        assert!(moments.lean.abs() < 0.1 && (moments.centre[0] - 9.5).abs() < 0.3, "{}", moments.lean);
    }

    #[test]
    fn a_picture_without_ink_stays_as_it_is() {
        let mut empty = vec![-3.0; 400];
        Upright::new([20, 20], 0.0).apply(&mut empty);
        assert_eq!(empty, vec![-3.0; 400]);
    }
}
