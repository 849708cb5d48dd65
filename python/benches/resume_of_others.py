"""What frameworks lose as they are: the small GPT of `examples/gpt.py`, stopped after 7 of 24 steps and resumed by each of them
in the way that its own guide shows, beside a training that was never stopped. Prints a line for each: how many of the
parameters of the model differ in the end, and by how much at most.

    pip install ./python torch torchdata transformers accelerate lightning
    python python/benches/resume_of_others.py
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import warnings

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "examples"))

from gpt import ACCUMULATE, BATCH, GPT, Text  # noqa: E402

STEPS, STOP, WORKERS = 24, 7, 2


class Augmented(Text):
    """With a byte in 64 drawn anew, as augmentation does: by the generator of the process that reads it."""

    def __getitem__(self, i: int):
        x, y = super().__getitem__(i)
        x = x.clone()
        x[torch.randint(64, ())] = torch.randint(256, ())
        return x, y


def differences(straight: GPT, resumed: GPT) -> str:
    pairs = list(zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True))
    differing = sum(int((a != b).sum()) for a, b in pairs)
    most = max(float((a - b).abs().max()) for a, b in pairs)
    total = sum(a.numel() for a, _ in pairs)
    return "the same bits" if differing == 0 else f"{differing} of {total} parameters differ, by up to {most:.1e}"


def plain(data, directory, resume: bool, until: int) -> GPT:
    """`torch.save` of the model, the optimizer and the step, as most scripts have it."""
    torch.manual_seed(0)
    model, step = GPT(), 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    if resume:
        saved = torch.load(directory / "checkpoint.pt")
        model.load_state_dict(saved["model"]), optimizer.load_state_dict(saved["optimizer"])
        step = saved["step"]
    while step < until:
        loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True)
        for number, (x, y) in enumerate(loader):
            (F.cross_entropy(model(x).flatten(0, 1), y.flatten()) / ACCUMULATE).backward()
            if number % ACCUMULATE == ACCUMULATE - 1:
                optimizer.step(), optimizer.zero_grad()
                step += 1
                if step == until:
                    break
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, directory / "checkpoint.pt")
    return model


def trainer(data, directory, resume: bool, until: int) -> GPT:
    import transformers
    from with_trainer import Model, collate

    class Stop(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            control.should_training_stop |= state.global_step == until

    args = transformers.TrainingArguments(
        str(directory), max_steps=STEPS, per_device_train_batch_size=BATCH, gradient_accumulation_steps=ACCUMULATE,
        learning_rate=3e-3, dataloader_num_workers=WORKERS, dataloader_drop_last=True, save_steps=1, report_to=[],
        use_cpu=True, seed=0, disable_tqdm=True, logging_strategy="no",
    )  # fmt: skip
    transformers.set_seed(0)
    model = Model()
    # Its files cannot have a tensor twice.
    model.gpt.head.weight = torch.nn.Parameter(model.gpt.head.weight.detach().clone())
    trained = transformers.Trainer(model, args, data_collator=collate, train_dataset=data, callbacks=[Stop()])
    trained.train(resume_from_checkpoint=resume or None)
    return trained.model.gpt


def lightning(data, directory, resume: bool, until: int) -> GPT:
    import lightning.pytorch as pl
    from torchdata.stateful_dataloader import StatefulDataLoader
    from with_lightning import Model

    pl.seed_everything(0, verbose=False)
    files = pl.callbacks.ModelCheckpoint(directory, filename="last", every_n_train_steps=1, save_top_k=1)
    loader = StatefulDataLoader(data, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True)
    trained = pl.Trainer(
        accelerator="cpu", max_steps=until, accumulate_grad_batches=ACCUMULATE, logger=False, callbacks=[files],
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    model = Model(STEPS)
    newest = max(directory.glob("*.ckpt"), key=lambda path: path.stat().st_mtime, default=None)
    trained.fit(model, loader, ckpt_path=newest if resume else None)
    return model.gpt


def accelerate(data, directory, resume: bool, until: int) -> GPT:
    from accelerate import Accelerator
    from accelerate.utils import set_seed

    set_seed(0)
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATE)
    model, step = GPT(), 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    if resume:
        accelerator.load_state(str(directory / "state"))
        step = STOP
    batches = loader
    if resume:
        batches = accelerator.skip_first_batches(loader, step * ACCUMULATE)
    while step < until:
        for x, y in batches:
            with accelerator.accumulate(model):
                accelerator.backward(F.cross_entropy(model(x).flatten(0, 1), y.flatten()))
                optimizer.step(), optimizer.zero_grad()
            if accelerator.sync_gradients:
                step += 1
                if step == until:
                    break
        batches = loader
    accelerator.save_state(str(directory / "state"))
    return accelerator.unwrap_model(model)


def main() -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    print("| framework | plain data | data that is augmented in the workers |")
    print("|---|---|---|")
    for name, train in [
        ("`torch.save` of model and optimizer", plain), ("transformers' Trainer", trainer),
        ("Lightning, StatefulDataLoader", lightning), ("accelerate, skip_first_batches", accelerate),
    ]:  # fmt: skip
        found = []
        for data in (Text(), Augmented()):
            with tempfile.TemporaryDirectory() as scratch:
                a, b = pathlib.Path(scratch, "a"), pathlib.Path(scratch, "b")
                a.mkdir(), b.mkdir()
                straight = train(data, a, False, STEPS)
                train(data, b, False, STOP)
                found.append(differences(straight, train(data, b, True, STEPS)))
        print(f"| {name} | {found[0]} | {found[1]} |", flush=True)


if __name__ == "__main__":
    main()
