"""The checks of gpt.sh that are made with Python: in a directory with `run` and its exports `m.*`."""

import json
import subprocess
import sys
import urllib.request

import gguf
import numpy
import torch
import xllamacpp
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

REKINDLE = sys.argv[1]
STEPS = 12
TEXTS = [
    "A river is water.",
    "It's we'll 'tis  two  spaces\tand\n\n lines 3.14 x² 東京 café 😀",
    " leading and trailing ",
    "<|user|>who?<|end|>",
    "Does rain make things wet?",
]
QUESTIONS = [
    "What is rain?",
    "Does rain make things wet?",
    "  Is a river water?\nYes or no? ",
    "東京 is a city, isn't it?",
]
failures = 0


def check(what, found, expected):
    global failures
    if found == expected:
        print(f"equal: {what}")
    else:
        failures += 1
        print(f"DIFFERS: {what}: {found!r}, expected {expected!r}")


def close(what, found, expected, limit):
    global failures
    difference = max(abs(one - other) for one, other in zip(found, expected))
    if len(found) == len(expected) and difference <= limit:
        print(f"equal: {what}: within {difference:.1e}")
    else:
        failures += 1
        print(f"DIFFERS: {what}: {difference:.1e} is more than {limit:.0e}")


def rekindle(*arguments, text=None, codes=(0,)):
    run = subprocess.run([REKINDLE, *arguments], input=text, capture_output=True, text=True)
    if run.returncode not in codes:
        sys.exit(f"rekindle {' '.join(arguments)}: {run.stderr}")
    return run.stdout


def encode(text, tokenizer="m.hf/tokenizer.json"):
    return [int(token) for token in rekindle("tokenizer", "encode", tokenizer, text=text).split()]


def generated(model, prompt):
    options = ["--temperature", "0", "--max-tokens", str(STEPS), "--json"]
    return json.loads(rekindle("generate", model, "--prompt", prompt, *options))["tokens"]


def answer(model, question):
    options = ["--temperature", "0", "--max-tokens", str(STEPS), "--json"]
    lines = rekindle("chat", model, *options, text=question + "\n/bye\n").splitlines()
    return next(json.loads(line)["answer"] for line in lines if "answer" in json.loads(line))


def losses(model):
    rows = json.loads(rekindle("evaluate", model, "--data", "text.txt", "--by-precision", "--json"))["precisions"]
    return [row["loss"] for row in rows]


def prompt_of(messages, special):
    """What the model was trained on, put together by hand."""
    tokens = []
    for role, content in messages:
        tokens += [special[f"<|{role}|>"], *encode(content), special["<|end|>"]]
    return tokens + [special["<|assistant|>"]]


def greedy(model, tokens, stops):
    tokens, new = list(tokens), []
    for _ in range(STEPS):
        with torch.no_grad():
            best = int(model(torch.tensor([tokens])).logits[0, -1].argmax())
        if best in stops:
            break
        tokens.append(best)
        new.append(best)
    return new


def in_messages(messages):
    return [{"role": role, "content": content} for role, content in messages]


def with_transformers():
    tokenizer = AutoTokenizer.from_pretrained("m.hf")
    model = AutoModelForCausalLM.from_pretrained("m.hf", dtype=torch.float32).eval()
    special = {name: tokenizer.convert_tokens_to_ids(name) for name in ["<|user|>", "<|assistant|>", "<|end|>"]}
    for text in TEXTS:
        check(f"transformers: tokens of {text!r}", encode(text), tokenizer(text)["input_ids"])
    stops = [special["<|end|>"]]
    for prompt in ["A river", "Rain is"]:
        expected = greedy(model, tokenizer(prompt)["input_ids"], stops)
        check(f"transformers: greedy behind {prompt!r}", generated("run", prompt), expected)
    talks = [[("user", question)] for question in QUESTIONS]
    talks.append([("user", "What is rain?"), ("assistant", "Water."), ("user", "Is it wet?")])
    for talk in talks:
        found = tokenizer.apply_chat_template(in_messages(talk), add_generation_prompt=True)
        found = found if isinstance(found, list) else found["input_ids"]
        check(f"transformers: apply_chat_template of {talk[-1][1]!r}", found, prompt_of(talk, special))
    for question in QUESTIONS[:2]:
        prompt = prompt_of([("user", question)], special)
        expected = tokenizer.decode(greedy(model, prompt, stops)).strip()
        check(f"transformers: answer to {question!r}", answer("run", question), expected)
    check("transformers: the names of the tokens", tokenizer.eos_token, "<|end|>")
    return special


class Server:
    """A model in llama.cpp, asked by its web interface."""

    def __init__(self, path):
        parameters = xllamacpp.CommonParams()
        parameters.model.path = path
        parameters.n_ctx, parameters.warmup = 64, False
        parameters.cpuparams.n_threads = 2
        self.server = xllamacpp.Server(parameters)

    def ask(self, place, value):
        request = urllib.request.Request(
            self.server.listening_address + place, json.dumps(value).encode(), {"Content-Type": "application/json"}
        )
        return json.loads(urllib.request.urlopen(request).read())

    def tokens(self, text, special=False):
        return self.ask("/tokenize", {"content": text, "parse_special": special, "add_special": True})["tokens"]

    def greedy(self, tokens):
        asked = {"prompt": tokens, "n_predict": STEPS, "temperature": 0, "return_tokens": True, "cache_prompt": False}
        return self.ask("/completion", asked)["tokens"]

    def chat(self, talk):
        asked = {"messages": in_messages(talk), "temperature": 0, "max_tokens": STEPS}
        answer = self.ask("/v1/chat/completions", asked)
        return answer["choices"][0]["message"]["content"].strip(), answer["usage"]["prompt_tokens"]

    def prompt(self, talk):
        return self.tokens(self.ask("/apply-template", {"messages": in_messages(talk)})["prompt"], special=True)


def without_end(tokens, special):
    return tokens[: tokens.index(special["<|end|>"])] if special["<|end|>"] in tokens else tokens


def with_llama_cpp(special):
    server = Server("m.gguf")
    plain = [text for text in TEXTS if "<|" not in text]
    for text in plain:
        check(f"llama.cpp: tokens of {text!r}", server.tokens(text), encode(text))
    for prompt in ["A river", "Rain is"]:
        found = without_end(server.greedy(encode(prompt)), special)
        check(f"llama.cpp: greedy behind {prompt!r}", found, generated("run", prompt))
    for question in QUESTIONS:
        talk = [("user", question)]
        expected = prompt_of(talk, special)
        check(f"llama.cpp: prompt of the question {question!r}", server.prompt(talk), expected)
    for question in QUESTIONS[:2]:
        talk = [("user", question)]
        expected = answer("run", question), len(prompt_of(talk, special))
        check(f"llama.cpp: answer to {question!r}", server.chat(talk), expected)
    for path in ["m.f16.gguf", "m.q8_0.gguf"]:
        found = without_end(Server(path).greedy(encode("A river")), special)
        check(f"llama.cpp and rekindle: greedy of {path}", found, generated(path, "A river"))


def back():
    """What is read again is what was written, within its precision."""
    expected = losses("run")
    close("the loss of m.gguf", losses("m.gguf")[:1], expected[:1], 0.0)
    close("the loss of m.f16.gguf, as evaluate says it of 16 bits", losses("m.f16.gguf")[:1], expected[1:2], 1e-6)
    close("the loss of m.q8_0.gguf", losses("m.q8_0.gguf")[:1], expected[:1], 5e-2)
    close("the loss of m.hf", losses("m.hf")[:1], expected[:1], 0.0)
    for path in ["m.gguf", "m.hf"]:
        rekindle("import", path, "--run", f"{path}.run", codes=(3,))
        check(f"the text of {path}, imported", generated(f"{path}.run", "A river"), generated("run", "A river"))


def of_llama_cpp():
    """Files as llama.cpp makes them of a GPT-2 of transformers."""
    torch.manual_seed(2)
    file = json.load(open("m.hf/tokenizer.json", encoding="utf-8"))
    size = len(file["model"]["vocab"])
    config = GPT2Config(vocab_size=size + 8, n_positions=48, n_embd=64, n_layer=2, n_head=4)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape)
    names = [name for name, _ in sorted(file["model"]["vocab"].items(), key=lambda item: item[1])]
    merges = [" ".join(pair) for pair in file["model"]["merges"]]
    kinds = {
        "F32": gguf.GGMLQuantizationType.F32,
        "F16": gguf.GGMLQuantizationType.F16,
        "BF16": gguf.GGMLQuantizationType.BF16,
        "Q8_0": gguf.GGMLQuantizationType.Q8_0,
    }
    for name, kind in kinds.items():
        path = f"theirs-{name}.gguf"
        write_as_llama_cpp(path, model, names, merges, kind)
        prompt = "A river"
        found = Server(path).greedy(encode(prompt))
        check(f"llama.cpp and rekindle: greedy of a GPT-2 in {name}", generated(path, prompt), found)
    write_as_llama_cpp("theirs-Q4_0.gguf", model, names, merges, gguf.GGMLQuantizationType.Q4_0)
    run = subprocess.run([REKINDLE, "import", "theirs-Q4_0.gguf", "--run", "q4"], capture_output=True, text=True)
    check("a type that is not read is named", (run.returncode, "Q4_0" in run.stderr), (2, True))


def write_as_llama_cpp(path, model, names, merges, kind):
    config = model.config
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_block_count(config.n_layer)
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_feed_forward_length(4 * config.n_embd)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    padding = config.vocab_size - len(names)
    writer.add_token_list(names + [f"[PAD{len(names) + index}]" for index in range(padding)])
    writer.add_token_types([1] * len(names) + [5] * padding)
    writer.add_token_merges(merges)
    places = {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm"}
    parts = {
        "ln_1": "attn_norm",
        "ln_2": "ffn_norm",
        "attn.c_attn": "attn_qkv",
        "attn.c_proj": "attn_output",
        "mlp.c_fc": "ffn_up",
        "mlp.c_proj": "ffn_down",
    }
    for name, tensor in model.transformer.state_dict().items():
        array = tensor.numpy()
        stem, end = name.rsplit(".", 1)
        if stem.startswith("h."):
            _, block, part = stem.split(".", 2)
            place, is_map = f"blk.{block}.{parts[part]}", not part.startswith("ln_")
            array = array.T if is_map and end == "weight" else array
        else:
            place = places[stem]
        array = numpy.ascontiguousarray(array, dtype=numpy.float32)
        if array.ndim == 1 or stem == "wpe":
            writer.add_tensor(f"{place}.{end}", array)
        else:
            writer.add_tensor(f"{place}.{end}", gguf.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def with_frames():
    """What a tokenizer puts around a text, which the library adds when nothing else is said."""
    file = json.load(open("m.hf/tokenizer.json", encoding="utf-8"))
    end = next(token["id"] for token in file["added_tokens"] if token["content"] == "<|end|>")
    user = next(token["id"] for token in file["added_tokens"] if token["content"] == "<|user|>")
    special = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    template = {
        "type": "TemplateProcessing",
        "single": [special("<|user|>"), text, special("<|end|>")],
        "pair": [special("<|user|>"), text, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            name: {"id": name, "ids": [token], "tokens": [name]}
            for name, token in [("<|user|>", user), ("<|end|>", end)]
        },
    }
    roberta = {
        "type": "RobertaProcessing",
        "sep": ["<|end|>", end],
        "cls": ["<|user|>", user],
        "trim_offsets": True,
        "add_prefix_space": False,
    }
    from tokenizers import Tokenizer

    for name, processor in [("a template", template), ("RoBERTa's", roberta)]:
        file["post_processor"] = processor
        with open("framed.json", "w", encoding="utf-8") as out:
            json.dump(file, out)
        library = Tokenizer.from_file("framed.json")
        found = [encode(text, "framed.json") for text in TEXTS]
        check(f"tokenizers: {len(TEXTS)} texts with {name}", found, [library.encode(text).ids for text in TEXTS])


def main():
    with open("text.txt", "w", encoding="utf-8") as file:
        file.write("A river is water that goes to the sea. Rain makes the grass wet. " * 4)
    special = with_transformers()
    with_llama_cpp(special)
    back()
    of_llama_cpp()
    with_frames()
    sys.stdout.flush()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
