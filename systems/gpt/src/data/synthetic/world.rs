//! The little world that the text is about: kinds of things, things and what is true of them.
//!
//! Phrases are templates of [`super::grammar::render`]: `[eat]` is a verb that agrees with its subject.

/// How a noun is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    /// Has an article and a plural: a robin, robins.
    Counted,
    /// Has neither: iron, Mars.
    Bare,
    /// There is only one: the sun.
    Only,
}

/// What a fact says of a thing; the fact's phrase completes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    Colour,
    Home,
    Growth,
    Food,
    Sound,
    Deed,
    Ability,
    Inability,
    Legs,
    Material,
    Making,
    Source,
    Use,
    Taste,
    Formation,
}
use Relation::*;

/// A kind of things, with what is true of every thing of that kind.
pub(super) struct Kind {
    pub name: &'static str,
    pub plural: &'static str,
    /// The kind that all of this kind belong to.
    pub parent: Option<&'static str>,
    pub definition: &'static str,
    /// What all of this kind have or do; empty where there is nothing simple to say.
    pub feature: &'static str,
    /// What none of this kind has or does.
    pub lacks: &'static [&'static str],
    /// Kinds that no thing of this kind belongs to.
    pub never: &'static [&'static str],
}

/// A thing with its facts.
pub(super) struct Thing {
    pub name: &'static str,
    pub plural: &'static str,
    pub noun: Noun,
    pub kind: Option<&'static str>,
    pub definition: &'static str,
    pub facts: &'static [(Relation, &'static str)],
}

impl Thing {
    /// Whether many of it have a name of their own.
    pub fn has_plural(&self) -> bool {
        self.noun == Noun::Counted
    }
}

type Facts = &'static [(Relation, &'static str)];

const fn counted(
    name: &'static str,
    plural: &'static str,
    kind: &'static str,
    definition: &'static str,
    facts: Facts,
) -> Thing {
    let kind = if kind.is_empty() { None } else { Some(kind) };
    Thing { name, plural, noun: Noun::Counted, kind, definition, facts }
}

const fn bare(name: &'static str, kind: &'static str, definition: &'static str, facts: Facts) -> Thing {
    let kind = if kind.is_empty() { None } else { Some(kind) };
    Thing { name, plural: name, noun: Noun::Bare, kind, definition, facts }
}

const fn only(name: &'static str, kind: &'static str, definition: &'static str, facts: Facts) -> Thing {
    let kind = if kind.is_empty() { None } else { Some(kind) };
    Thing { name, plural: name, noun: Noun::Only, kind, definition, facts }
}

const fn kind(
    name: &'static str,
    plural: &'static str,
    parent: &'static str,
    definition: &'static str,
    feature: &'static str,
    lacks: &'static [&'static str],
    never: &'static [&'static str],
) -> Kind {
    let parent = if parent.is_empty() { None } else { Some(parent) };
    Kind { name, plural, parent, definition, feature, lacks, never }
}

#[rustfmt::skip]
pub(super) const KINDS: &[Kind] = &[
    kind("animal", "animals", "", "a living thing that eats and can move", "[need] food", &[], &["plant", "tool", "metal"]),
    kind("plant", "plants", "", "a living thing that grows from the ground and needs light", "[need] light and water", &[], &["animal", "tool", "metal"]),
    kind("bird", "birds", "animal", "an animal that has feathers and lays eggs", "[have] feathers", &["[have] six legs", "[give] milk"], &["mammal", "fish", "insect", "plant"]),
    kind("mammal", "mammals", "animal", "an animal that feeds its young with milk", "[have] warm blood", &["[have] feathers", "[have] six legs"], &["bird", "fish", "insect", "plant"]),
    kind("fish", "fish", "animal", "an animal that lives in water and breathes with gills", "[have] gills", &["[have] feathers", "[have] legs"], &["bird", "mammal", "insect", "plant"]),
    kind("insect", "insects", "animal", "a small animal that has six legs", "[have] six legs", &["[have] feathers", "[give] milk"], &["bird", "mammal", "fish", "plant"]),
    kind("reptile", "reptiles", "animal", "an animal that has scales and cold blood", "[have] scales", &["[have] feathers", "[give] milk"], &["bird", "mammal", "insect"]),
    kind("amphibian", "amphibians", "animal", "an animal that has moist skin and grows up in water", "[have] moist skin", &["[have] feathers", "[give] milk"], &["bird", "mammal", "insect"]),
    kind("tree", "trees", "plant", "a large plant that has a trunk of wood", "[have] a trunk", &["[have] legs"], &["animal", "flower", "bird"]),
    kind("flower", "flowers", "plant", "a plant that has petals", "[have] petals", &["[have] legs"], &["animal", "tree", "insect"]),
    kind("food", "foods", "", "something that people or animals eat", "[give] energy", &[], &["tool", "vehicle", "metal"]),
    kind("fruit", "fruits", "food", "a food that grows on a plant and holds its seeds", "[grow] on plants", &[], &["tool", "metal", "animal"]),
    kind("vegetable", "vegetables", "food", "a part of a plant that people eat", "[come] from plants", &[], &["tool", "metal", "animal"]),
    kind("material", "materials", "", "something that other things are made of", "", &[], &["animal", "vehicle", "star"]),
    kind("metal", "metals", "material", "a material that conducts heat and electricity", "[conduct] heat", &[], &["food", "animal", "plant"]),
    kind("tool", "tools", "", "a thing that helps people to work", "[help] people to work", &["[need] food"], &["animal", "plant", "food"]),
    kind("vehicle", "vehicles", "", "a thing that carries people from place to place", "[carry] people", &["[need] sleep"], &["animal", "plant", "food"]),
    kind("star", "stars", "", "a very hot ball of gas that gives light", "[give] light", &[], &["planet", "animal"]),
    kind("planet", "planets", "", "a large ball that goes around a star", "[go] around a star", &[], &["star", "animal"]),
];

#[rustfmt::skip]
pub(super) const THINGS: &[Thing] = &[
    // Birds
    counted("robin", "robins", "bird", "a small bird with a red breast", &[(Home, "in gardens and woods"), (Food, "worms and insects"), (Sound, "[sing]"), (Colour, "brown with a red breast"), (Ability, "fly"), (Legs, "two")]),
    counted("owl", "owls", "bird", "a bird that hunts at night", &[(Home, "in woods and old barns"), (Food, "mice"), (Sound, "[hoot]"), (Deed, "[hunt] at night"), (Ability, "see well in the dark"), (Legs, "two")]),
    counted("penguin", "penguins", "bird", "a bird that swims but cannot fly", &[(Home, "by the cold sea in the south"), (Food, "fish"), (Colour, "black and white"), (Ability, "swim"), (Inability, "fly"), (Legs, "two")]),
    counted("duck", "ducks", "bird", "a bird that swims on the water", &[(Home, "on ponds and lakes"), (Food, "plants and insects"), (Sound, "[quack]"), (Ability, "swim"), (Legs, "two")]),
    counted("eagle", "eagles", "bird", "a large bird with sharp eyes", &[(Home, "in the mountains"), (Food, "fish and small animals"), (Colour, "brown"), (Ability, "fly very high"), (Legs, "two")]),
    // Mammals
    counted("cow", "cows", "mammal", "a large farm animal that gives milk", &[(Home, "on farms"), (Food, "grass"), (Sound, "[moo]"), (Deed, "[give] milk"), (Inability, "fly"), (Legs, "four")]),
    counted("horse", "horses", "mammal", "a large animal that people can ride", &[(Home, "on farms"), (Food, "grass and hay"), (Sound, "[neigh]"), (Use, "riding"), (Ability, "run fast"), (Legs, "four")]),
    counted("cat", "cats", "mammal", "a small pet that catches mice", &[(Home, "in houses"), (Food, "meat and fish"), (Sound, "[meow]"), (Deed, "[catch] mice"), (Ability, "climb trees"), (Legs, "four")]),
    counted("dog", "dogs", "mammal", "a pet that is a good friend of people", &[(Home, "in houses"), (Food, "meat"), (Sound, "[bark]"), (Deed, "[guard] the house"), (Inability, "fly"), (Legs, "four")]),
    counted("sheep", "sheep", "mammal", "a farm animal that gives wool", &[(Home, "on farms and hills"), (Food, "grass"), (Sound, "[bleat]"), (Deed, "[give] wool"), (Colour, "white"), (Legs, "four")]),
    counted("bear", "bears", "mammal", "a big strong animal with thick fur", &[(Home, "in forests and mountains"), (Food, "berries, fish and honey"), (Sound, "[growl]"), (Deed, "[sleep] in winter"), (Colour, "brown"), (Legs, "four")]),
    counted("whale", "whales", "mammal", "a very large animal that lives in the sea", &[(Home, "in the sea"), (Food, "fish and other sea animals"), (Ability, "swim"), (Inability, "live on land"), (Legs, "no")]),
    counted("mouse", "mice", "mammal", "a very small animal with a long tail", &[(Home, "in fields and houses"), (Food, "seeds and grain"), (Sound, "[squeak]"), (Colour, "grey"), (Legs, "four")]),
    counted("elephant", "elephants", "mammal", "a very large animal with a long trunk", &[(Home, "in Africa and Asia"), (Food, "grass, leaves and fruit"), (Colour, "grey"), (Deed, "[lift] things with {its} trunk"), (Inability, "jump"), (Legs, "four")]),
    counted("rabbit", "rabbits", "mammal", "a small animal with long ears", &[(Home, "in holes in the ground"), (Food, "grass and leaves"), (Deed, "[dig] holes"), (Ability, "jump"), (Legs, "four")]),
    counted("lion", "lions", "mammal", "a very large wild cat", &[(Home, "on the plains of Africa"), (Food, "meat"), (Sound, "[roar]"), (Colour, "golden brown"), (Legs, "four")]),
    counted("bat", "bats", "mammal", "a small mammal that can fly", &[(Home, "in caves and old houses"), (Food, "insects"), (Deed, "[fly] at night"), (Ability, "fly"), (Legs, "two")]),
    // Other animals
    counted("salmon", "salmon", "fish", "a silver fish that swims up rivers", &[(Home, "in rivers and in the sea"), (Food, "insects and small fish"), (Colour, "silver"), (Ability, "swim"), (Inability, "live on land")]),
    counted("shark", "sharks", "fish", "a large fish with sharp teeth", &[(Home, "in the sea"), (Food, "fish"), (Colour, "grey"), (Ability, "swim"), (Inability, "walk")]),
    counted("bee", "bees", "insect", "an insect that makes honey", &[(Home, "in a hive"), (Food, "nectar and pollen"), (Sound, "[buzz]"), (Deed, "[make] honey"), (Colour, "black and yellow"), (Ability, "fly"), (Legs, "six")]),
    counted("ant", "ants", "insect", "a tiny insect that lives with many others", &[(Home, "in nests in the ground"), (Food, "seeds and small insects"), (Deed, "[carry] heavy things"), (Legs, "six")]),
    counted("butterfly", "butterflies", "insect", "an insect with large bright wings", &[(Home, "in meadows and gardens"), (Food, "nectar from flowers"), (Deed, "[begin] life as a caterpillar"), (Ability, "fly"), (Legs, "six")]),
    counted("spider", "spiders", "animal", "a small animal with eight legs", &[(Home, "in gardens and houses"), (Food, "insects"), (Deed, "[build] webs"), (Inability, "fly"), (Legs, "eight")]),
    counted("snake", "snakes", "reptile", "a long animal that has no legs", &[(Home, "in forests and deserts"), (Food, "mice and other small animals"), (Sound, "[hiss]"), (Inability, "walk"), (Legs, "no")]),
    counted("turtle", "turtles", "reptile", "an animal with a hard shell", &[(Home, "in ponds and in the sea"), (Food, "plants and small animals"), (Deed, "[hide] in {its} shell"), (Ability, "swim"), (Inability, "fly"), (Legs, "four")]),
    counted("frog", "frogs", "amphibian", "a small animal that jumps and swims", &[(Home, "in ponds"), (Food, "insects"), (Sound, "[croak]"), (Colour, "green"), (Ability, "jump"), (Legs, "four")]),
    // Plants
    counted("oak", "oaks", "tree", "a large tree that bears acorns", &[(Growth, "in forests and parks"), (Deed, "[bear] acorns"), (Use, "making furniture")]),
    counted("pine", "pines", "tree", "a tree that has needles and stays green in winter", &[(Growth, "in cold lands and on mountains"), (Deed, "[stay] green in winter"), (Colour, "green"), (Use, "making paper and furniture")]),
    counted("apple tree", "apple trees", "tree", "a tree that bears apples", &[(Growth, "in gardens and orchards"), (Deed, "[bear] apples")]),
    counted("rose", "roses", "flower", "a flower with thorns and a sweet smell", &[(Growth, "in gardens"), (Colour, "red, white or yellow"), (Deed, "[smell] sweet")]),
    counted("sunflower", "sunflowers", "flower", "a tall yellow flower", &[(Growth, "in fields and gardens"), (Colour, "yellow"), (Use, "making oil")]),
    counted("daisy", "daisies", "flower", "a small white and yellow flower", &[(Growth, "in meadows"), (Colour, "white and yellow")]),
    bare("grass", "plant", "a low green plant with thin leaves", &[(Growth, "in meadows"), (Colour, "green"), (Use, "feeding cows and sheep")]),
    // Foods
    counted("apple", "apples", "fruit", "a round fruit that is red or green", &[(Growth, "on apple trees"), (Colour, "red or green"), (Taste, "sweet"), (Use, "making juice and pies")]),
    counted("banana", "bananas", "fruit", "a long yellow fruit", &[(Growth, "in warm lands"), (Colour, "yellow"), (Taste, "sweet")]),
    counted("lemon", "lemons", "fruit", "a yellow fruit that tastes sour", &[(Growth, "on lemon trees"), (Colour, "yellow"), (Taste, "sour"), (Use, "making drinks")]),
    counted("cherry", "cherries", "fruit", "a small red fruit with a stone", &[(Growth, "on cherry trees"), (Colour, "red"), (Taste, "sweet"), (Use, "making jam and cakes")]),
    counted("orange", "oranges", "fruit", "a round fruit full of sweet juice", &[(Growth, "on orange trees"), (Colour, "orange"), (Taste, "sweet"), (Use, "making juice")]),
    counted("carrot", "carrots", "vegetable", "an orange root that people eat", &[(Growth, "in the ground"), (Colour, "orange"), (Taste, "sweet"), (Use, "making soup")]),
    counted("potato", "potatoes", "vegetable", "a round vegetable from under the ground", &[(Growth, "under the ground"), (Colour, "brown or yellow"), (Use, "making chips and soup")]),
    counted("pea", "peas", "vegetable", "a small round green vegetable", &[(Growth, "in pods"), (Colour, "green"), (Taste, "sweet"), (Use, "making soup")]),
    bare("bread", "food", "a food that is baked from flour and water", &[(Making, "by baking flour, water and yeast"), (Colour, "brown"), (Use, "making sandwiches")]),
    bare("cheese", "food", "a food that is made from milk", &[(Making, "from milk"), (Colour, "yellow"), (Taste, "salty")]),
    bare("milk", "food", "a white drink that comes from cows", &[(Source, "cows"), (Colour, "white"), (Use, "making cheese and butter")]),
    bare("honey", "food", "a sweet food that bees make", &[(Source, "bees"), (Colour, "golden"), (Taste, "sweet"), (Making, "by bees from the nectar of flowers")]),
    bare("salt", "", "a white mineral that makes food salty", &[(Source, "the sea and from mines"), (Colour, "white"), (Taste, "salty"), (Use, "cooking")]),
    // Materials
    bare("iron", "metal", "a hard grey metal", &[(Colour, "grey"), (Use, "making tools and machines"), (Source, "rocks in the earth"), (Deed, "[rust] in wet air")]),
    bare("gold", "metal", "a yellow metal that is worth a lot", &[(Colour, "yellow"), (Use, "making rings and coins"), (Source, "rocks and rivers")]),
    bare("copper", "metal", "a red-brown metal", &[(Colour, "red-brown"), (Use, "making wires"), (Source, "rocks in the earth")]),
    bare("wood", "material", "a material that comes from trees", &[(Source, "trees"), (Colour, "brown"), (Use, "building houses and making chairs"), (Deed, "[float] on water")]),
    bare("glass", "material", "a hard clear material", &[(Making, "by melting sand"), (Use, "making windows and bottles"), (Deed, "[break] easily")]),
    bare("wool", "material", "the soft hair of sheep", &[(Source, "sheep"), (Colour, "white"), (Use, "making warm clothes")]),
    bare("paper", "material", "a thin material for writing", &[(Making, "from wood"), (Colour, "white"), (Use, "writing and printing"), (Deed, "[burn] easily")]),
    bare("stone", "material", "a hard material from the ground", &[(Source, "rocks"), (Colour, "grey"), (Use, "building walls"), (Deed, "[sink] in water")]),
    // Tools, vehicles and other made things
    counted("hammer", "hammers", "tool", "a tool for hitting nails", &[(Use, "hitting nails"), (Material, "wood and steel")]),
    counted("saw", "saws", "tool", "a tool with sharp teeth that cuts wood", &[(Use, "cutting wood"), (Material, "steel")]),
    counted("knife", "knives", "tool", "a tool with a sharp blade", &[(Use, "cutting bread and meat"), (Material, "steel")]),
    counted("needle", "needles", "tool", "a thin tool for sewing", &[(Use, "sewing clothes"), (Material, "steel")]),
    counted("spade", "spades", "tool", "a tool for digging", &[(Use, "digging holes"), (Material, "wood and steel")]),
    counted("broom", "brooms", "tool", "a brush with a long handle", &[(Use, "sweeping the floor"), (Material, "wood and straw")]),
    counted("car", "cars", "vehicle", "a vehicle with four wheels and an engine", &[(Use, "driving on roads"), (Material, "metal, glass and rubber")]),
    counted("boat", "boats", "vehicle", "a vehicle that floats on water", &[(Use, "travelling on water"), (Material, "wood or metal"), (Ability, "float")]),
    counted("train", "trains", "vehicle", "a long vehicle that runs on rails", &[(Use, "travelling between cities"), (Material, "metal and glass"), (Deed, "[run] on rails")]),
    counted("bicycle", "bicycles", "vehicle", "a vehicle with two wheels and pedals", &[(Use, "riding on roads and paths"), (Material, "metal and rubber")]),
    counted("aeroplane", "aeroplanes", "vehicle", "a vehicle that flies through the air", &[(Use, "travelling to far lands"), (Material, "metal"), (Ability, "fly")]),
    counted("clock", "clocks", "", "a thing that shows the time", &[(Use, "telling the time"), (Deed, "[show] the time")]),
    counted("book", "books", "", "a thing with many pages to read", &[(Use, "reading and learning"), (Material, "paper")]),
    counted("chair", "chairs", "", "a seat with a back and legs", &[(Use, "sitting"), (Material, "wood"), (Legs, "four")]),
    counted("lamp", "lamps", "", "a thing that gives light", &[(Use, "lighting a room"), (Material, "metal and glass")]),
    counted("window", "windows", "", "an opening in a wall with glass in it", &[(Use, "letting light into a room"), (Material, "glass and wood")]),
    counted("umbrella", "umbrellas", "", "a thing that keeps the rain off", &[(Use, "keeping dry in the rain"), (Material, "cloth and metal")]),
    counted("house", "houses", "", "a building that people live in", &[(Use, "living in"), (Material, "stone, brick or wood")]),
    // Weather
    bare("rain", "", "water that falls from the clouds in drops", &[(Source, "clouds"), (Formation, "when drops of water in a cloud grow heavy and fall"), (Deed, "[make] the ground wet")]),
    bare("snow", "", "frozen water that falls from the clouds", &[(Source, "clouds"), (Colour, "white"), (Formation, "when water freezes in the clouds"), (Deed, "[melt] in warm air")]),
    bare("wind", "", "air that moves", &[(Formation, "when warm air rises and cold air takes its place"), (Deed, "[move] the leaves and the waves")]),
    bare("fog", "", "a cloud that lies on the ground", &[(Colour, "white or grey"), (Formation, "when damp air cools near the ground")]),
    bare("lightning", "", "a bright flash in a storm", &[(Source, "storm clouds"), (Formation, "when electricity jumps from a cloud")]),
    bare("thunder", "", "the loud sound that follows lightning", &[(Source, "lightning"), (Formation, "when lightning heats the air very quickly")]),
    bare("ice", "", "water that is frozen", &[(Formation, "when water gets very cold"), (Deed, "[float] on water"), (Use, "cooling drinks")]),
    counted("cloud", "clouds", "", "a mass of tiny drops of water in the air", &[(Colour, "white or grey"), (Formation, "when damp air rises and cools"), (Deed, "[bring] rain and snow")]),
    counted("rainbow", "rainbows", "", "a bow of many colours in the sky", &[(Colour, "red, orange, yellow, green, blue and violet"), (Formation, "when sunlight shines through drops of rain")]),
    // Land, water and sky
    counted("mountain", "mountains", "", "a part of the land that rises very high", &[(Formation, "when plates of the earth push against each other"), (Material, "rock")]),
    counted("volcano", "volcanoes", "", "a mountain that can throw out hot melted rock", &[(Formation, "when melted rock rises from inside the earth"), (Material, "rock and ash")]),
    counted("valley", "valleys", "", "low land between hills or mountains", &[(Formation, "when a river or ice cuts into the land")]),
    counted("cave", "caves", "", "a large hole in rock or in a hill", &[(Formation, "when water slowly washes rock away")]),
    counted("river", "rivers", "", "a long stream of water that flows over the land", &[(Formation, "when rain and melted snow flow down from the hills"), (Deed, "[flow] to the sea or to a lake")]),
    counted("lake", "lakes", "", "a large body of water with land all around it", &[(Formation, "when water fills a hollow in the land"), (Colour, "blue or green")]),
    counted("desert", "deserts", "", "a dry land where very little rain falls", &[(Formation, "when a land gets very little rain for a long time")]),
    counted("island", "islands", "", "a piece of land with water all around it", &[(Formation, "when land or a volcano rises out of the sea")]),
    bare("sand", "", "rock in tiny grains", &[(Formation, "when rocks break into tiny pieces"), (Colour, "yellow"), (Use, "making glass")]),
    only("sea", "", "a very large body of salt water", &[(Colour, "blue"), (Taste, "salty")]),
    only("sun", "star", "the star that gives us light and heat", &[(Colour, "yellow"), (Deed, "[give] light and heat")]),
    only("moon", "", "a ball of rock that goes around the earth", &[(Colour, "grey"), (Deed, "[go] around the earth"), (Material, "rock")]),
    only("earth", "planet", "the planet that we live on", &[(Deed, "[go] around the sun once a year"), (Material, "rock and metal")]),
    bare("Mars", "planet", "a red planet that goes around the sun", &[(Colour, "red"), (Deed, "[go] around the sun"), (Material, "rock and metal")]),
];

/// Things from small to big.
pub(super) const SIZES: &[&str] = &["ant", "mouse", "cat", "sheep", "cow", "elephant", "whale", "mountain"];

/// A question why, with one answer.
pub(super) struct Explanation {
    pub questions: &'static [&'static str],
    pub answers: &'static [&'static str],
}

#[rustfmt::skip]
pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation { questions: &["Why is there day and night?", "Why do we have day and night?", "How do day and night come about?"], answers: &["There is day and night because the earth turns.", "The earth turns, and so each side faces the sun by day and looks away from it by night."] },
    Explanation { questions: &["Why are there seasons?", "Why do we have seasons?", "How do the seasons come about?"], answers: &["There are seasons because the earth is tilted on its way around the sun.", "The earth is tilted on its way around the sun, and so we have seasons."] },
    Explanation { questions: &["Why does the moon shine?", "Where does the light of the moon come from?", "Why is the moon bright?"], answers: &["The moon shines because it throws back the light of the sun.", "The moon throws back the light of the sun."] },
    Explanation { questions: &["Why does ice float?", "Why does ice float on water?", "How can ice float on water?"], answers: &["Ice floats because it is lighter than water.", "Ice is lighter than water, and so it floats."] },
    Explanation { questions: &["Why do plants need light?", "What do plants need light for?", "Why does a plant need light?"], answers: &["Plants need light because they make their food with it.", "A plant makes its food with light."] },
    Explanation { questions: &["Why do birds have wings?", "What do birds need wings for?", "Why does a bird have wings?"], answers: &["Most birds have wings to fly.", "Birds have wings, and most birds use them to fly."] },
    Explanation { questions: &["Why do we eat?", "Why do people eat?", "Why do people need food?"], answers: &["People eat because food gives them energy.", "Food gives people energy."] },
    Explanation { questions: &["Why do we sleep?", "Why do people sleep?", "Why do people need sleep?"], answers: &["People sleep because the body needs rest.", "The body needs rest, and so people sleep."] },
    Explanation { questions: &["Why do stones sink?", "Why does a stone sink in water?", "Why do stones sink in water?"], answers: &["A stone sinks because it is heavier than water.", "Stones are heavier than water, and so they sink."] },
    Explanation { questions: &["Why is the sea salty?", "Where does the salt in the sea come from?", "Why does the sea taste of salt?"], answers: &["The sea is salty because rivers carry salt from the rocks into it.", "Rivers carry salt from the rocks into the sea."] },
    Explanation { questions: &["Why do leaves fall in autumn?", "When do the leaves fall?", "In which season do the leaves fall?"], answers: &["Many trees drop their leaves in autumn, because there is less light and it gets cold."] },
];
