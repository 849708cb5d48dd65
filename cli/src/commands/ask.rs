//! `ask`: one question to a language model, with a picture where it sees them.

use std::path::Path;

use anyhow::{Context, bail};
use rekindle_formats::pictures::read_colours;
use rekindle_pictures::{Image, Picture, Size};
use rekindle_train::{Message, Registry, Role, TextModel};
use serde_json::json;

use crate::args::AskArgs;
use crate::commands::generate::summary;
use crate::language_model::{self, Asked};
use crate::output;
use crate::picture_file::write_picture;
use crate::terminal_picture;

pub fn ask(registry: &Registry, args: &AskArgs, asked: &Asked, json: bool) -> anyhow::Result<u8> {
    let mut model = language_model::load(registry, &args.model, asked, args.threads.count())?;
    let content = match &args.picture {
        Some(file) => format!("{} {}", args.question, picture_as_text(&*model, file)?),
        None => args.question.clone(),
    };
    let mut answer = String::new();
    let generated = model.answer(&[Message { role: Role::User, content }], &mut |piece| {
        answer += piece;
        true
    })?;
    let (image, text) = match model.picture_in(&answer) {
        Some((image, text)) => (Some(image), text),
        None => (None, answer.trim().to_owned()),
    };
    let written = match (&args.out, &image) {
        (Some(file), Some(image)) => {
            write_picture(file, &sheet(image))?;
            Some(file)
        }
        (Some(file), None) => bail!("--out {}: the answer is no picture, but: {text}", file.display()),
        (None, _) => None,
    };
    if json {
        output::print_json(&json!({
            "text": text,
            "picture": image.as_ref().map(|image| json!({"width": image.columns, "pixels": image.pixels})),
            "wrote": written,
            "tokens": generated.tokens,
        }))?;
        return Ok(0);
    }
    if !text.is_empty() {
        output::print(&text)?;
    }
    if let Some(image) = &image {
        match written {
            Some(file) => output::print(&format!("wrote {}", file.display()))?,
            None => output::print(&terminal_picture::draw(image))?,
        }
    }
    tell!("{}", output::dim(&summary(&generated)));
    Ok(0)
}

/// The text that stands for the picture of a file.
fn picture_as_text(model: &dyn TextModel, file: &Path) -> anyhow::Result<String> {
    let told = || format!("--picture {}", file.display());
    let picture = read_colours(file).with_context(told)?;
    model.picture_as_text(&picture).with_context(told)
}

/// A sheet of as many pixels as the picture, so that it can be shown again.
fn sheet(image: &Image) -> Picture {
    let rows = image.pixels.len() as u32 / image.columns.max(1);
    let mut picture = Picture::new(Size::pixels(image.columns as f32, rows as f32));
    picture.image(picture.area(), image.clone());
    picture
}
