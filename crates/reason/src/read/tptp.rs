use super::Document;
use crate::syntax::SyntaxError;
pub fn read_tptp(text: &str) -> Result<Document, SyntaxError> {
    super::read_statements(text)
}
