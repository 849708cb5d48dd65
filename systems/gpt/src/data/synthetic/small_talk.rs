//! What belongs to a talk and not to the world: greetings, thanks, who is speaking, what is not known.

use super::text_rng::TextRng;
use super::{Key, Point};

/// Things that a user may say, with what may be said to any of them.
pub(super) struct Small {
    pub said: &'static [&'static str],
    pub replies: &'static [&'static str],
}

pub(super) const GREETINGS: &Small = &Small {
    said: &[
        "Hello!",
        "Hi!",
        "Hello.",
        "Hi.",
        "Good morning.",
        "Good evening.",
        "Good day!",
        "Hi there!",
        "Hello there!",
    ],
    replies: &[
        "Hello! What do you want to know?",
        "Hello! How can I help you?",
        "Hello! Please ask me something.",
    ],
};

pub(super) const THANKS: &Small = &Small {
    said: &[
        "Thank you.",
        "Thanks.",
        "Thank you!",
        "Thanks a lot.",
        "Thank you very much.",
        "Good, thank you.",
    ],
    replies: &["You are welcome.", "You are welcome. Ask me more if you like."],
};

pub(super) const PARTINGS: &Small = &Small {
    said: &["Good-bye.", "Bye!", "Goodbye.", "Good night.", "See you later.", "Bye, and thank you."],
    replies: &["Good-bye!", "Good-bye! It was nice to talk to you."],
};

pub(super) const SELF: &[Small] = &[
    Small {
        said: &[
            "Who are you?",
            "What are you?",
            "Tell me who you are.",
            "Can you tell me who you are?",
            "What is your name?",
        ],
        replies: &["I am a small language model that was trained with Rekindle."],
    },
    Small {
        said: &["What can you do?", "What do you know?", "How can you help me?", "What can I ask you?"],
        replies: &[
            "I can answer questions about logic and about simple facts, such as animals, plants and weather.",
        ],
    },
    Small {
        said: &["Who made you?", "How were you made?", "How did you learn this?", "How were you trained?"],
        replies: &["I was trained with Rekindle on sentences about logic and simple facts."],
    },
    Small {
        said: &["Are you a human?", "Are you a person?", "Are you human?"],
        replies: &["No, I am a small language model."],
    },
    Small {
        said: &["Are you a machine?", "Are you a language model?", "Are you a computer program?"],
        replies: &["Yes, I am a small language model that was trained with Rekindle."],
    },
    Small {
        said: &["How are you?", "How are you today?", "Are you well?"],
        replies: &["I am well, thank you. What do you want to know?"],
    },
    Small {
        said: &["Do you know everything?", "Do you know a lot?", "Are you always right?"],
        replies: &["No, I am small and I know only a few things."],
    },
];

const ADMISSIONS: &[&str] = &["I do not know that.", "I am sorry, I do not know that."];

/// Questions that nothing answers: `{}` is something from outside of its world.
const OUTSIDE: &[&str] = &[
    "What is {}?",
    "Who invented {}?",
    "Tell me about {}.",
    "What do you know about {}?",
    "Where can I buy {}?",
    "How does {} work?",
    "What do you think of {}?",
    "Can you explain {}?",
];

#[rustfmt::skip]
const UNKNOWN: &[&str] = &[
    "a computer chip", "a dragon", "a piano", "a telescope", "algebra", "chess", "chocolate", "democracy",
    "football", "jazz", "London", "magnetism", "medicine", "money", "opera", "oxygen", "Paris", "philosophy",
    "plastic", "poetry", "quantum physics", "radio", "Rome", "silk", "tennis", "the brain", "the internet",
    "the law", "the theatre", "television",
];

const UNANSWERED: &[&str] = &[
    "Who is the king of Spain?",
    "Who won the game yesterday?",
    "What will the weather be tomorrow?",
    "What time is it?",
    "What day is it today?",
    "How old are you?",
    "Where do you live?",
    "What is my name?",
    "Who wrote this book?",
    "How much does a ticket cost?",
    "What is the capital of France?",
    "When was the war?",
    "What is the news today?",
    "How many people live in China?",
    "Who is the president?",
    "Can you sing a song?",
    "Write a poem for me.",
    "Tell me a joke.",
    "What is the meaning of life?",
    "Will it rain tomorrow?",
    "How far is it to Berlin?",
    "How do I cook rice?",
];

/// What is only said in a talk: there is nothing to state.
fn exchange(question: String, reply: &str) -> Point {
    Point { key: Key::Unkeyed, statement: reply.to_owned(), question, answer: reply.to_owned() }
}

/// Something said and the reply.
pub(super) fn small(rng: &mut TextRng, small: &Small) -> Point {
    exchange(rng.word(small.said).to_owned(), rng.word(small.replies))
}

/// A question about the one who answers.
pub(super) fn about_self(rng: &mut TextRng) -> Point {
    let topic = rng.pick(SELF);
    small(rng, topic)
}

/// A question from outside of the world of this text, and that the answer is not known.
pub(super) fn unknown(rng: &mut TextRng) -> Point {
    let question = if rng.chance(60) {
        rng.word(OUTSIDE).replace("{}", rng.word(UNKNOWN))
    } else {
        rng.word(UNANSWERED).to_owned()
    };
    exchange(question, rng.word(ADMISSIONS))
}
