from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from consortium_mcp.adapters.sqlite.damage import all_set_aside, identity_of, set_aside


def test_what_belongs_to_it_goes_with_it_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    for round_ in range(3):  # in the same second, most likely
        for ending in ("", "-wal", "-shm"):
            Path(f"{path}{ending}").write_text(f"{round_}{ending}")
        set_aside(path, identity_of(path))
    found = all_set_aside(path)
    assert [each.path.read_text() for each in found] == ["0", "1", "2"]
    for number, each in enumerate(found):
        assert Path(f"{each.path}-wal").read_text() == f"{number}-wal"
        assert Path(f"{each.path}-shm").read_text() == f"{number}-shm"
    assert len(list(tmp_path.iterdir())) == 9


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.db", tmp_path / "link.db"
    real.write_text("damaged")
    link.symlink_to(real)
    set_aside(link, identity_of(link))
    assert link.is_symlink()
    assert not real.exists()
    assert [each.path.read_text() for each in all_set_aside(link)] == ["damaged"]


def test_only_the_file_that_was_found_damaged_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    path.write_text("damaged")
    damaged = identity_of(path)
    path.rename(tmp_path / "elsewhere")  # by another process
    path.write_text("the new one")
    set_aside(path, damaged)
    assert path.read_text() == "the new one"
    assert all_set_aside(path) == ()


def test_it_is_news_for_a_day(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    path.write_text("damaged")
    set_aside(path, identity_of(path))
    [found] = all_set_aside(path)
    assert found.is_recent(datetime.now(UTC))
    assert not found.is_recent(datetime.now(UTC) + timedelta(days=2))
