//! The events that TensorBoard reads: records of TFRecord, each of which holds an `Event` of Protocol Buffers.
//!
//! A record is its length in 64 bits, a checksum of that, the bytes, and a checksum of them; checksums are CRC-32C, turned
//! by fifteen bits and moved by a constant. Fields are those of `event.proto` and `summary.proto`.

/// What a value of a checksum is moved by, so that one over bytes that hold checksums is not another one of these.
const MASK: u32 = 0xa282_ead8;
/// The version that a file begins with.
const VERSION: &[u8] = b"brain.Event:2";
/// The number of text in the list of element types.
const TEXT: u64 = 7;

/// A file of events, as it grows.
#[derive(Debug, Default)]
pub struct Events {
    bytes: Vec<u8>,
}

/// Something cannot be an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventsError {
    /// Steps are signed there.
    #[error("step {0} is too large for a file of events")]
    Step(u64),
    /// The bytes are no picture.
    #[error("the picture is no PNG")]
    Picture,
}

/// How many values lie where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    smallest: f64,
    largest: f64,
    count: u64,
    sum: f64,
    squares: f64,
    /// For each bucket its upper end and how many values it has.
    buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// Of the values that are finite, in equal buckets between the smallest and the largest.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        const BUCKETS: usize = 30;
        let finite = || values.clone().filter(|value| value.is_finite());
        let (smallest, largest) = finite()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if smallest > largest {
            return Self::default();
        }
        let width = ((largest - smallest) / BUCKETS as f64).max(f64::MIN_POSITIVE);
        let mut buckets: Vec<(f64, u64)> =
            (1..=BUCKETS).map(|bucket| (width.mul_add(bucket as f64, smallest), 0)).collect();
        for value in finite() {
            let bucket = (((value - smallest) / width) as usize).min(BUCKETS - 1);
            buckets[bucket].1 += 1;
        }
        Self {
            smallest,
            largest,
            count: finite().count() as u64,
            sum: finite().sum(),
            squares: finite().map(|value| value * value).sum(),
            buckets,
        }
    }
}

impl Events {
    /// A file without events; `time` is when it begins, in seconds since 1970.
    pub fn new(time: u64) -> Self {
        let mut events = Self::default();
        let mut event = Message::default();
        event.double(1, time as f64);
        event.bytes(3, VERSION);
        events.record(&event.0);
        events
    }

    /// A number that was measured.
    ///
    /// # Errors
    /// When the step is too large.
    pub fn scalar(&mut self, step: u64, time: u64, tag: &str, value: f64) -> Result<(), EventsError> {
        let mut summary = Message::tagged(tag);
        summary.float(2, value as f32);
        self.event(step, time, &summary)
    }

    /// How the values of an array are spread.
    ///
    /// # Errors
    /// When the step is too large.
    pub fn histogram(
        &mut self,
        step: u64,
        time: u64,
        tag: &str,
        histogram: &Histogram,
    ) -> Result<(), EventsError> {
        let Histogram { smallest, largest, count, sum, squares, buckets } = histogram;
        let mut message = Message::default();
        for (field, value) in [(1, *smallest), (2, *largest), (3, *count as f64), (4, *sum), (5, *squares)] {
            message.double(field, value);
        }
        message.doubles(6, buckets.iter().map(|bucket| bucket.0));
        message.doubles(7, buckets.iter().map(|bucket| bucket.1 as f64));
        let mut summary = Message::tagged(tag);
        summary.message(5, &message);
        self.event(step, time, &summary)
    }

    /// A picture as PNG with red, green and blue.
    ///
    /// # Errors
    /// When the step is too large, or the bytes are no PNG.
    pub fn picture(&mut self, step: u64, time: u64, tag: &str, png: &[u8]) -> Result<(), EventsError> {
        // The head of a PNG: its signature, the length and name of the first chunk, and the sides.
        let side = |at: usize| {
            png.get(at..at + 4).and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?)))
        };
        let (Some(width), Some(height)) = (side(16), side(20)) else { return Err(EventsError::Picture) };
        let mut image = Message::default();
        for (field, value) in [(1, height), (2, width), (3, 3)] {
            image.number(field, value.into());
        }
        image.bytes(4, png);
        let mut summary = Message::tagged(tag);
        summary.message(4, &image);
        self.event(step, time, &summary)
    }

    /// A text in Markdown.
    ///
    /// # Errors
    /// When the step is too large.
    pub fn text(&mut self, step: u64, time: u64, tag: &str, text: &str) -> Result<(), EventsError> {
        let (mut size, mut shape, mut tensor) = (Message::default(), Message::default(), Message::default());
        size.number(1, 1);
        shape.message(2, &size);
        tensor.number(1, TEXT);
        tensor.message(2, &shape);
        tensor.bytes(8, text.as_bytes());
        let (mut plugin, mut metadata) = (Message::default(), Message::default());
        plugin.bytes(1, b"text");
        metadata.message(1, &plugin);
        let mut summary = Message::tagged(tag);
        summary.message(8, &tensor);
        summary.message(9, &metadata);
        self.event(step, time, &summary)
    }

    /// The bytes of the file.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// An event with one value of a summary.
    fn event(&mut self, step: u64, time: u64, value: &Message) -> Result<(), EventsError> {
        if i64::try_from(step).is_err() {
            return Err(EventsError::Step(step));
        }
        let (mut summary, mut event) = (Message::default(), Message::default());
        summary.message(1, value);
        event.double(1, time as f64);
        event.number(2, step);
        event.message(5, &summary);
        self.record(&event.0);
        Ok(())
    }

    fn record(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        self.bytes.extend(length);
        self.bytes.extend(checksum(&length).to_le_bytes());
        self.bytes.extend(bytes);
        self.bytes.extend(checksum(bytes).to_le_bytes());
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

/// A message of Protocol Buffers, field by field.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// The value of a summary begins with its tag.
    fn tagged(tag: &str) -> Self {
        let mut message = Self::default();
        message.bytes(1, tag.as_bytes());
        message
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// What a field begins with: its number and how it is written.
    fn head(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.head(field, 0);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.head(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn float(&mut self, field: u64, value: f32) {
        self.head(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.head(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }

    fn doubles(&mut self, field: u64, values: impl Iterator<Item = f64>) {
        let packed: Vec<u8> = values.flat_map(f64::to_le_bytes).collect();
        self.bytes(field, &packed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_with_its_version() {
        // As TensorBoard's own writer has it: 24 bytes of message after 12 of head, and a checksum.
        let bytes = Events::new(0).finish();
        assert_eq!((bytes.len(), &bytes[..8]), (12 + 24 + 4, &24_u64.to_le_bytes()[..]));
        assert_eq!(&bytes[8..12], &checksum(&24_u64.to_le_bytes()).to_le_bytes());
        assert!(bytes[12..36].ends_with(VERSION));
        assert_eq!(checksum(b"123456789"), 0xe306_9283_u32.rotate_right(15).wrapping_add(MASK));
    }

    #[test]
    fn a_scalar_is_an_event() {
        let mut events = Events::new(0);
        let begun = events.bytes.len();
        events.scalar(300, 0, "a", 1.0).unwrap();
        let event = &events.bytes[begun + 12..events.bytes.len() - 4];
        let expected: &[u8] =
            &[&[9][..], &[0; 8], &[16, 172, 2], &[42, 10, 10, 8, 10, 1, b'a', 21, 0, 0, 128, 63]].concat();
        assert_eq!(event, expected);
        assert_eq!(events.scalar(u64::MAX, 0, "a", 1.0), Err(EventsError::Step(u64::MAX)));
    }

    #[test]
    fn values_are_counted_where_they_lie() {
        let histogram = Histogram::of([0.0, 1.0, 1.0, 3.0, f64::NAN, f64::INFINITY].into_iter());
        assert_eq!((histogram.smallest, histogram.largest, histogram.count), (0.0, 3.0, 4));
        assert_eq!((histogram.sum, histogram.squares), (5.0, 11.0));
        assert_eq!(histogram.buckets.iter().map(|bucket| bucket.1).sum::<u64>(), 4);
        assert_eq!(histogram.buckets.last().unwrap(), &(3.0, 1));
        assert_eq!(Histogram::of([f64::NAN].into_iter()), Histogram::default());
        assert_eq!(Histogram::of([2.0; 5].into_iter()).buckets[0].1, 5, "all in one place");
    }
}
