"""The rules that no schema can hold, and what the faults say. That both agree with the worker, test/contract shows."""

import unittest
from datetime import date, datetime, timedelta, timezone

from ota_updater_producer import Update, faults_of

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=timezone.utc)
VALID = {"Identifier": "a1B2c3", "Description": "Nightly roll-out 7"}


class FaultsTest(unittest.TestCase):
    def test_says_what_is_wrong_by_field(self) -> None:
        cases = [
            ({"Identifier": ""}, ["Identifier: is empty"]),
            ({"Identifier": "a-b"}, ["Identifier: has a character that it may not have"]),
            ({"Identifier": "a" * 201}, ["Identifier: is 201 characters long, and may be 200 at most"]),
            ({"Description": None}, ["Description: is not a text"]),
            ({"IssuedAt": "yesterday"}, ["IssuedAt: is no ISO 8601 time in UTC, as 2026-11-23T07:00:00Z"]),
            ({"IssuedAt": "2026-11-23T07:05:00Z"}, []),
            ({"IssuedAt": "2026-11-23T07:05:00.0009Z"}, []),
            ({"IssuedAt": "2026-11-23T07:05:00.000999999999999Z"}, []),
            ({"IssuedAt": "2026-11-23T07:05:00.001Z"}, ["IssuedAt: is more than 5 minutes ahead"]),
            ({"IssuedAt": "0000-01-01T00:00Z"}, []),
        ]
        for fields, faults in cases:
            with self.subTest(fields=fields):
                self.assertEqual(faults_of({**VALID, **fields}, NOW), faults)

    def test_says_what_is_wrong_with_the_whole(self) -> None:
        self.assertEqual(faults_of([], NOW), ["not a JSON object"])
        self.assertEqual(faults_of({"Description": "b"}, NOW), ["Identifier: is missing"])
        self.assertEqual(
            faults_of({"Identifier": "a"}, NOW), ["nothing to update: give Description or TaskConfigurationId"]
        )
        [unknown] = faults_of({**VALID, "TaskConfigurationID": "x"}, NOW)
        self.assertIn('unknown field "TaskConfigurationID"', unknown)


class UpdateTest(unittest.TestCase):
    def test_takes_nothing_but_a_time_or_a_text(self) -> None:
        for issued in (5, date(2026, 11, 23), b"2026-11-23T07:00:00Z"):
            with self.subTest(issued=issued), self.assertRaisesRegex(ValueError, "neither a datetime nor a text"):
                Update("a1", description="b", issued_at=issued).to_dict()  # type: ignore[arg-type]

    def test_leaves_out_what_is_not_given(self) -> None:
        self.assertEqual(Update("a1", description="b").to_dict(), {"Identifier": "a1", "Description": "b"})

    def test_writes_times_in_utc(self) -> None:
        issued = NOW.astimezone(timezone(timedelta(hours=2)))
        body = Update("a1", task_configuration_id="c", job_id="j", request_id="r", issued_at=issued).to_dict()
        self.assertEqual(body["IssuedAt"], "2026-11-23T07:00:00.000Z")
        self.assertEqual(faults_of(body, NOW), [])

    def test_takes_no_time_without_a_zone(self) -> None:
        with self.assertRaisesRegex(ValueError, "time zone"):
            Update("a1", description="b", issued_at=datetime(2026, 11, 23)).to_dict()


if __name__ == "__main__":
    unittest.main()
