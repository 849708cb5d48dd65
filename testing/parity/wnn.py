"""The checks of wnn.sh: wnn.py CHECKOUT REKINDLE."""

import gzip
import importlib.abc
import importlib.machinery
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import types
from pathlib import Path

original, rekindle = Path(sys.argv[1]), sys.argv[2]
failures = 0


class StandIn(types.ModuleType):
    """A module of which nothing is used but that it is there."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that compute: loading and saving files needs none of them."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "ram_accelerator", "numpy"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(StandIns())
sys.path.insert(0, str(original / "src"))
from wnn.ram.experiments.phased_search import PhaseResult  # noqa: E402
from wnn.ram.strategies.connectivity.adaptive_cluster import ClusterGenome  # noqa: E402

spec = importlib.util.spec_from_file_location("search", original / "run_coarse_fine_search.py")
search = importlib.util.module_from_spec(spec)
spec.loader.exec_module(search)


def check(what, holds):
    global failures
    print(f"{'ok' if holds else 'FAILED'}: {what}")
    failures += not holds


def run(*arguments, expected=(0,)):
    done = subprocess.run([rekindle, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode not in expected:
        sys.exit(f"rekindle {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def unzipped(path):
    with gzip.open(path, "rt") as file:
        return json.load(file)


def same(a, b):
    """Two genomes of the original, with how well they predict."""
    fitness = [getattr(genome, "_cached_fitness", None) for genome in (a, b)]
    return (
        a.bits_per_cluster == b.bits_per_cluster
        and a.neurons_per_cluster == b.neurons_per_cluster
        and a.connections == b.connections
        and fitness[0] == fitness[1]
    )


def made(clusters, most, seed, fitness=None):
    """A genome of the original whose clusters differ in size."""
    draws = random.Random(seed)
    bits = [draws.randint(4, 12) for _ in range(clusters)]
    neurons = [draws.randint(1, most) for _ in range(clusters)]
    inputs = sum(b * n for b, n in zip(bits, neurons))
    genome = ClusterGenome(bits, neurons, [draws.randrange(64) for _ in range(inputs)])
    if fitness is not None:
        genome._cached_fitness = fitness
    return genome


def through(directory, path, ending):
    """The file after an import and an export; not everything is carried over, which the exit code says."""
    run_directory, out = directory / f"{path.name}.run", directory / f"back.{path.name}.{ending}"
    said = run("import", path, "--run", run_directory, expected=(3,))
    run("export", run_directory, out)
    return out, said


def ours(directory):
    """What we write of a search, as the original loads it."""
    small = ["data.vocabulary=300", "data.train_tokens=5000", "data.eval_tokens=1000"]
    small += ["search.ga_generations=2", "search.population_size=4", "search.ts_iterations=2"]
    settings = [word for setting in small for word in ("--set", f"training.{setting}")]
    searched = directory / "run"
    run("train", "wnn-search", "--run", searched, "-q", *settings)
    files = {ending: directory / f"ours.{ending}" for ending in ("genome.json.gz", "phase.json.gz", "results.json")}
    for file in files.values():
        run("export", searched, file)

    genome, data = ClusterGenome.load(str(files["genome.json.gz"]))
    check("the original loads our genome", len(genome.bits_per_cluster) == 300)
    stats = json.loads(json.dumps(genome.stats()))
    check("its figures of the genome are ours", stats == data["stats"])
    phase, metadata = PhaseResult.load(str(files["phase.json.gz"]))
    check("it loads our phase checkpoint", metadata["phase_key"] == "3b" and phase.strategy_type == "TS")
    check("the best genome of the phase is the same", same(phase.best_genome, genome))
    check("its fitness is that of the genome", phase.final_fitness == genome._cached_fitness[0])
    seed = search.load_seed_genome(str(files["results.json"]))
    check("it begins a search with our results", seed is not None and seed.connections == genome.connections)
    results = json.loads(files["results.json"].read_text())
    check("our results begin with the first phase", next(iter(results)) == "phase1_ga")
    out, said = through(directory, files["results.json"], "genome.json.gz")
    check("we import our own results, as results", "from WNN results" in said)
    check("they hold the same genome", ClusterGenome.load(str(out))[0].connections == genome.connections)


def theirs(directory):
    """What the original writes, through us and back to it."""
    for name, genome in [
        ("measured", made(64, 12, 1, (3.5, 0.25))),
        ("unmeasured", made(64, 12, 2)),
        ("large", made(16, 700, 3, (9.25, 0.0625))),
    ]:
        file = directory / f"{name}.json.gz"
        cached = getattr(genome, "_cached_fitness", (None, None))
        genome.save(str(file), fitness=cached[0], accuracy=cached[1])
        out, said = through(directory, file, "genome.json.gz")
        back, data = ClusterGenome.load(str(out))
        check(f"a {name} genome comes back as it was", same(genome, back) and "from WNN genome" in said)
        check(f"and so do its figures ({name})", json.loads(json.dumps(genome.stats())) == data["stats"])
        told = (data.get("fitness"), data.get("accuracy"))
        check(f"nothing is said of it that was not known ({name})", told == cached)

    for name, initial in [("whole", 4.0), ("early", None)]:
        population = [made(64, 12, 4, (3.5, 0.25)), made(64, 12, 5)]
        phase = PhaseResult(
            phase_name="Phase 2a: GA Bits Only",
            strategy_type="GA",
            final_fitness=3.25,
            final_accuracy=0.5,
            iterations_run=7,
            best_genome=made(64, 12, 6, (3.25, 0.5)),
            final_population=population,
            final_threshold=0.0003 if initial else None,
            initial_fitness=initial,
            initial_accuracy=None,
        )
        file = directory / f"{name}.phase.json.gz"
        phase.save(str(file), phase_key="2a", rotation_seed=42)
        out, said = through(directory, file, "phase.json.gz")
        back, metadata = PhaseResult.load(str(out))
        check(f"a phase is called one ({name})", "from WNN phase checkpoint" in said)
        check(f"a phase comes back as it was ({name})", unzipped(out) == unzipped(file))
        check(f"with the fitness of its population ({name})", all(map(same, population, back.final_population)))
        check(f"and its seed ({name})", metadata == {"phase_key": "2a", "rotation_seed": 42})

    for first in ["phase1_ga", "phase2_ts", "phase3_ts"]:
        genome = made(64, 12, 7)
        last = {"fitness": 3.5, "accuracy": 0.25, "genome": genome.serialize(), "genome_stats": genome.stats()}
        figures = {"fitness": 3.5, "accuracy": 0.25, "iterations": 3}
        file = directory / f"{first}.json"
        file.write_text(json.dumps({first: figures, "final": last, "pass": 2}, indent=2))
        out, said = through(directory, file, "genome.json.gz")
        back, _ = ClusterGenome.load(str(out))
        check(f"results that begin with {first} are results", "from WNN results" in said)
        check(f"they hold the same genome ({first})", back.connections == genome.connections)


with tempfile.TemporaryDirectory() as place:
    ours(Path(place))
    theirs(Path(place))
sys.exit(1 if failures else 0)
