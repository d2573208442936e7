"""Several processes that train one network: real ones, over gloo."""

import os
import socket
from dataclasses import replace

import pytest
import torch

from model.network import PRESETS
from model.training.distill import DistillConfig, Distiller
from model.training.loop import Trainer
from model.training.pairs import PairConfig
from model.training.processes import agreed, here, join, share_gradients
from tests.model.test_metaearth import PAPER, patches

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SMALL = DistillConfig(batch=4, crop=80, alone=0, patches=1.0, local=1.0, grid=1.0, bfloat16=True,
                      pairs=PairConfig(crop=256, calm=0.0))


def together(what, folder) -> list:
    """What two processes return of `what(folder)`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = torch.multiprocessing.get_context("spawn")
    processes = [context.Process(target=_process, args=(what, rank, str(folder), port)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


def _process(what, rank: int, folder: str, port: int) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    assert join("cpu") == "cpu"
    try:
        torch.save(what(folder), f"{folder}/{rank}.pt")
    finally:
        torch.distributed.destroy_process_group()


def trainers_gradients(folder: str) -> list[torch.Tensor]:
    trainer = Trainer(PRESETS["tiny"], replace(PAPER, batch=4, accumulate=1), patches(), [], folder)
    with torch.no_grad():
        torch.manual_seed(3)
        for parameter in trainer.network.parameters():  # also those that start at zero
            parameter.add_(0.02 * torch.randn_like(parameter))
    trainer.gradients()
    return [p.grad.clone() for p in trainer.network.parameters()]


def test_two_processes_have_the_gradients_of_one(tmp_path):
    both = together(trainers_gradients, tmp_path)
    alone = trainers_gradients(str(tmp_path))
    for shared in both:
        assert len(shared) == len(alone)
        for a, b in zip(alone, shared, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def students(folder: str) -> dict:
    """Two steps of a student and its opponent: what they are then, and of what pictures it was."""
    student = Distiller(f"{folder}/teacher/state.pt", SMALL, patches(), f"{folder}/student")
    before = [p.clone() for p in student.network.parameters()]
    seen, batch = [], student.batches.batch
    student.batches.batch = lambda n: seen.append(found := batch(n)) or found
    for _ in range(2):
        student.advance()
    student.save()
    return {"pictures": torch.stack([b.target for b in seen]), "before": before,
            "student": list(student.network.parameters()), "opponent": list(student.discriminator.parameters()),
            "own": [p.float() for p in student.brief.parameters()], "average": list(student.average.parameters())}


def test_two_processes_distil_one_student_of_twice_the_pictures(tmp_path):
    Trainer(PRESETS["tiny"], PAPER, patches(), [], tmp_path / "teacher").save()
    one, other = together(students, tmp_path)
    assert one["pictures"].shape[:2] == (2, SMALL.batch // 2)
    assert not torch.equal(one["pictures"], other["pictures"])
    for what in ("student", "opponent", "average"):
        for a, b in zip(one[what], other[what], strict=True):
            assert torch.equal(a, b), what
    assert any(not torch.equal(a, b) for a, b in zip(one["before"], one["student"], strict=True))
    for rounded, average in zip(one["own"], one["average"], strict=True):  # conditions are made with it
        torch.testing.assert_close(rounded, average, rtol=2**-8, atol=1e-30)
    state = torch.load(tmp_path / "student" / "state.pt", weights_only=True)
    assert state["step"] == 2


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path, monkeypatch):
    Trainer(PRESETS["tiny"], PAPER, patches(), [], tmp_path).save()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="cannot be shared by 2 processes"):
        Distiller(tmp_path / "state.pt", replace(SMALL, batch=3), patches(), tmp_path)


def exchanged(folder: str) -> dict:
    rank, _ = here()
    seen, unseen = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(1))
    seen.grad = torch.full((2, 3), float(rank))
    share_gradients([seen, unseen])
    assert unseen.grad is None
    return {"mean": seen.grad, "seconds": torch.tensor(agreed(10.0 + rank, torch.device("cpu")))}


def test_gradients_are_the_mean_and_the_clock_is_the_firsts(tmp_path):
    for found in together(exchanged, tmp_path):
        assert torch.equal(found["mean"], torch.full((2, 3), 0.5)) and found["seconds"] == 10.0
