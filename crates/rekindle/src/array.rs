//! The fast path for arrays: `#[serde(with = "rekindle::array")]`.
//!
//! The marked field is captured by borrowing its bytes as they lie in memory, with no call per
//! element, and keeps its shape. With any other serde format it is a plain sequence of numbers.
//! An array whose first extent may differ when it comes back (a vocabulary, a list of hidden
//! units) is marked `#[serde(with = "rekindle::growing")]` instead.
//!
//! ```
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Layer {
//!     #[serde(with = "rekindle::array")]
//!     weights: rekindle::Matrix<f32>,
//!     #[serde(with = "rekindle::growing")]
//!     counts: Vec<u32>,
//! }
//! let layer = Layer { weights: rekindle::Matrix::zeros(2, 3), counts: vec![1, 2] };
//! let tree = rekindle::to_tree(&layer)?;
//! let back: Layer = rekindle::from_tree(&tree)?;
//! assert_eq!(back.counts, [1, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use rekindle_store::{ArrayType, DType, memory};

/// Name of the newtype that announces an array to the capture, and asks for one on the way back.
pub(crate) const ARRAY: &str = "$rekindle::array";
/// Name of the newtype around a sequence that may grow.
pub(crate) const GROWING: &str = "$rekindle::growing";

/// A number type that arrays are made of.
pub trait Element: bytemuck::Pod + Serialize + DeserializeOwned {
    /// Its element type.
    const DTYPE: DType;
}

macro_rules! elements {
    ($($type:ty => $dtype:ident),* $(,)?) => {
        $(impl Element for $type {
            const DTYPE: DType = DType::$dtype;
        })*

        /// The elements of an array of any type, where they stay.
        pub(crate) enum Elements {
            $($dtype(Vec<$type>),)*
            /// No container of such elements is marked as an array: bytes.
            Other(Vec<u8>),
        }

        impl Elements {
            /// So many zeros; `None` when there is not as much memory.
            pub fn zeroed(dtype: DType, count: usize) -> Option<Self> {
                Some(match dtype {
                    $(DType::$dtype => Self::$dtype(memory::zeroed(count)?),)*
                    _ => Self::Other(memory::zeroed(count * dtype.size())?),
                })
            }

            pub fn as_bytes_mut(&mut self) -> &mut [u8] {
                match self {
                    $(Self::$dtype(elements) => bytemuck::cast_slice_mut(elements),)*
                    Self::Other(bytes) => bytes,
                }
            }

            /// The elements, if they are of that type.
            fn into_vec<T: 'static>(self) -> Option<Vec<T>> {
                let elements: Box<dyn Any> = match self {
                    $(Self::$dtype(elements) => Box::new(elements),)*
                    Self::Other(_) => return None,
                };
                elements.downcast().ok().map(|elements| *elements)
            }
        }
    };
}

elements! {
    i8 => I8, i16 => I16, i32 => I32, i64 => I64,
    u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    f32 => F32, f64 => F64, half::f16 => F16, half::bf16 => BF16,
}

/// A container of numbers that can be captured as an array and made from one.
pub trait ArrayData: Sized {
    /// Number type of the elements.
    type Element: Element;

    /// Extent per dimension; the last varies fastest.
    fn shape(&self) -> Vec<u64>;

    /// The elements in row-major order.
    fn elements(&self) -> Cow<'_, [Self::Element]>;

    /// Makes the container from the elements in row-major order; their number is that of `shape`.
    ///
    /// # Errors
    /// When the container cannot have that shape; says why.
    fn from_elements(shape: &[u64], elements: Vec<Self::Element>) -> Result<Self, String>;
}

impl<T: Element> ArrayData for Vec<T> {
    type Element = T;

    fn shape(&self) -> Vec<u64> {
        vec![self.len() as u64]
    }

    fn elements(&self) -> Cow<'_, [T]> {
        Cow::Borrowed(self)
    }

    fn from_elements(shape: &[u64], elements: Vec<T>) -> Result<Self, String> {
        match shape {
            [_] => Ok(elements),
            _ => Err(format!("a `Vec` has one dimension, the array has {}", shape.len())),
        }
    }
}

/// Numbers in rows and columns, row-major: the plainest two-dimensional array.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix<T> {
    columns: usize,
    elements: Vec<T>,
}

impl<T: Element> Matrix<T> {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { columns, elements: vec![T::zeroed(); rows * columns] }
    }

    /// The matrix with these elements, row by row; `None` when they do not fill rows of so many columns.
    ///
    /// ```
    /// let matrix = rekindle::Matrix::from_vec(3, vec![1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    /// assert_eq!((matrix.rows(), matrix.columns()), (2, 3));
    /// assert!(rekindle::Matrix::from_vec(4, vec![0u8; 6]).is_none());
    /// ```
    #[must_use]
    pub fn from_vec(columns: usize, elements: Vec<T>) -> Option<Self> {
        let fits = if columns == 0 { elements.is_empty() } else { elements.len().is_multiple_of(columns) };
        fits.then_some(Self { columns, elements })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.elements.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All elements, row by row.
    pub fn as_slice(&self) -> &[T] {
        &self.elements
    }

    /// All elements, row by row.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.elements
    }
}

impl<T: Element> ArrayData for Matrix<T> {
    type Element = T;

    fn shape(&self) -> Vec<u64> {
        vec![self.rows() as u64, self.columns as u64]
    }

    fn elements(&self) -> Cow<'_, [T]> {
        Cow::Borrowed(&self.elements)
    }

    fn from_elements(shape: &[u64], elements: Vec<T>) -> Result<Self, String> {
        match *shape {
            [_, columns] => Ok(Self { columns: columns as usize, elements }),
            _ => Err(format!("a matrix has two dimensions, the array has {}", shape.len())),
        }
    }
}

thread_local! {
    /// How the capture and the marked field find each other: serde has no word for an array with
    /// a shape, and other formats must get a plain sequence.
    static RAW: RefCell<Raw> = const { RefCell::new(Raw::Idle) };
}

enum Raw {
    Idle,
    /// The capture has seen the name of an array; the next `RawForm` gives its bytes.
    Wanted,
    /// The bytes that follow are of this type.
    Given(ArrayType),
}

thread_local! {
    /// The elements of the array that is made next.
    static GIVEN: RefCell<Option<Elements>> = const { RefCell::new(None) };
}

/// Gives a marked field its elements, ahead of their type and shape: they are not copied any more.
pub(crate) fn give_elements(elements: Elements) {
    GIVEN.set(Some(elements));
}

pub(crate) fn want_raw_form() {
    RAW.set(Raw::Wanted);
}

pub(crate) fn take_raw_form() -> Option<ArrayType> {
    match RAW.replace(Raw::Idle) {
        Raw::Given(kind) => Some(kind),
        Raw::Idle | Raw::Wanted => None,
    }
}

/// Serializes an array for the capture as its bytes, for others as a sequence.
struct RawForm<'a, A>(&'a A);

impl<A: ArrayData> Serialize for RawForm<'_, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let elements = self.0.elements();
        if matches!(RAW.replace(Raw::Idle), Raw::Wanted) {
            RAW.set(Raw::Given(ArrayType { dtype: A::Element::DTYPE, shape: self.0.shape() }));
            return serializer.serialize_bytes(bytemuck::cast_slice(&elements));
        }
        serializer.collect_seq(elements.iter())
    }
}

/// Serializes an array; used by `#[serde(with = "rekindle::array")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<A: ArrayData, S: Serializer>(array: &A, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(ARRAY, &RawForm(array))
}

/// Deserializes an array; used by `#[serde(with = "rekindle::array")]`.
///
/// # Errors
/// Those of the deserializer; and when the array is of another type, or its shape does not fit.
pub fn deserialize<'de, A: ArrayData, D: Deserializer<'de>>(deserializer: D) -> Result<A, D::Error> {
    deserializer.deserialize_newtype_struct(ARRAY, ArrayVisitor(PhantomData))
}

struct ArrayVisitor<A>(PhantomData<A>);

impl<'de, A: ArrayData> Visitor<'de> for ArrayVisitor<A> {
    type Value = A;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {}", A::Element::DTYPE)
    }

    /// The raw form: the tree's own deserializer.
    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<A, M::Error> {
        let given = GIVEN.take();
        let Some((dtype, shape)) = map.next_entry::<String, Vec<u64>>()? else {
            return Err(de::Error::custom("an array without a shape"));
        };
        if dtype != A::Element::DTYPE.name() {
            return Err(de::Error::custom(format!(
                "an array of {} was expected, it is of {dtype}",
                A::Element::DTYPE
            )));
        }
        let elements = given.and_then(Elements::into_vec);
        let elements = elements.ok_or_else(|| de::Error::custom("an array without its elements"))?;
        A::from_elements(&shape, elements).map_err(de::Error::custom)
    }

    /// Any other format: a sequence of numbers.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<A, D::Error> {
        let elements = Vec::<A::Element>::deserialize(deserializer)?;
        A::from_elements(&[elements.len() as u64], elements).map_err(de::Error::custom)
    }

    fn visit_seq<Q: SeqAccess<'de>>(self, mut seq: Q) -> Result<A, Q::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        A::from_elements(&[elements.len() as u64], elements).map_err(de::Error::custom)
    }
}

/// `#[serde(with = "rekindle::growing")]`: an array whose first extent may differ when it comes
/// back.
pub mod growing {
    use super::{ArrayData, Deserializer, GROWING, Serialize, Serializer};

    struct Inner<'a, A>(&'a A);

    impl<A: ArrayData> Serialize for Inner<'_, A> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            super::serialize(self.0, serializer)
        }
    }

    /// Serializes a growing array.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<A: ArrayData, S: Serializer>(array: &A, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(GROWING, &Inner(array))
    }

    /// Deserializes a growing array.
    ///
    /// # Errors
    /// As for any array.
    pub fn deserialize<'de, A: ArrayData, D: Deserializer<'de>>(deserializer: D) -> Result<A, D::Error> {
        super::deserialize(deserializer)
    }
}
