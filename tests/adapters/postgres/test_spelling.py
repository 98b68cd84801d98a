from __future__ import annotations

from consortium_mcp.adapters.postgres.clock import NOW, DatabaseTime
from consortium_mcp.adapters.postgres.spelling import spelled


def test_values_have_psycopgs_marks_and_percent_signs_stay_what_they_are() -> None:
    sql, values = spelled("SELECT '100%' FROM runs WHERE a = ? AND b = ?", [1, None])
    assert sql == "SELECT '100%%' FROM runs WHERE a = %s AND b = %s"
    assert values == [1, None]


def test_a_time_of_the_database_is_worked_out_by_its_clock() -> None:
    sql, values = spelled("UPDATE runs SET a = ?, heartbeat = ?", ["x", DatabaseTime() - 10])
    assert sql.endswith(f"heartbeat = ({NOW} + %s)")
    assert values == ["x", -10]
    assert "clock" not in spelled("SELECT ?", [1.0])[0]  # a plain number stays one


def test_locks_and_json_are_spelled_as_postgres_does() -> None:
    sql, _ = spelled("SELECT json_group_array(json_object('a', a)) FROM t /* FOR UPDATE */", [])
    assert sql == "SELECT json_agg(json_build_object('a', a)) FROM t FOR UPDATE"
    sql, _ = spelled("SELECT json_extract(report, '$.usage.calls')", [])
    assert "#>> '{usage,calls}'" in sql


def test_a_nul_is_replaced_as_postgres_refuses_it() -> None:
    assert spelled("SELECT ?", ["a\0b"])[1] == ["a�b"]
