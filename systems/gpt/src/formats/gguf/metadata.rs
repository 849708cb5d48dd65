//! Keys and values before the tensors.

// Types of values.
pub(super) const U8: u32 = 0;
pub(super) const I8: u32 = 1;
pub(super) const U16: u32 = 2;
pub(super) const I16: u32 = 3;
pub(super) const U32: u32 = 4;
pub(super) const I32: u32 = 5;
pub(super) const F32: u32 = 6;
pub(super) const BOOL: u32 = 7;
pub(super) const TEXT: u32 = 8;
pub(super) const LIST: u32 = 9;
pub(super) const U64: u32 = 10;
pub(super) const I64: u32 = 11;
pub(super) const F64: u32 = 12;

/// Keys and values as they stand in the file.
#[derive(Default)]
pub(super) struct Metadata {
    bytes: Vec<u8>,
    count: u64,
}

impl Metadata {
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub fn u32(&mut self, key: &str, value: u32) {
        self.begin(key, U32);
        self.bytes.extend(value.to_le_bytes());
    }

    pub fn f32(&mut self, key: &str, value: f32) {
        self.begin(key, F32);
        self.bytes.extend(value.to_le_bytes());
    }

    pub fn bool(&mut self, key: &str, value: bool) {
        self.begin(key, BOOL);
        self.bytes.push(value.into());
    }

    pub fn text(&mut self, key: &str, value: &str) {
        self.begin(key, TEXT);
        push_text(&mut self.bytes, value);
    }

    pub fn texts(&mut self, key: &str, values: &[String]) {
        self.begin_list(key, TEXT, values.len());
        values.iter().for_each(|value| push_text(&mut self.bytes, value));
    }

    pub fn i32s(&mut self, key: &str, values: &[i32]) {
        self.begin_list(key, I32, values.len());
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn begin(&mut self, key: &str, kind: u32) {
        self.count += 1;
        push_text(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
    }

    fn begin_list(&mut self, key: &str, kind: u32, len: usize) {
        self.begin(key, LIST);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend((len as u64).to_le_bytes());
    }
}

/// Appends a text.
pub(super) fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}
