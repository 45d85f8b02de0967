"""The `metadata` section: what it takes, and what it says to what it does not take; the store it leads to."""

from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as proto
from pydantic import ValidationError

from pipeline import metadata_postgresql, metadata_store
from pipeline.home import Home
from pipeline.metadata_config import Metadata

HOME = Home(Path("/nowhere"), "taxi")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://me:secret@db/lineage", "has a password, got mysql://…@db/lineage; take it out, and put it into"),
        ("postgres://me@db/lineage", "no such database, got 'postgres'; did you mean 'postgresql'?"),
        ("mysql://me:se/cret@db/lineage", "is not complete, got mysql://…@db/lineage; "),
        ("mysql://me:s#ecret@db/lineage", "is not complete, got mysql://…@db/lineage; "),
        ("mysql://db/lineage", "is not complete, got mysql://db/lineage; mysql://user@host:3306/database"),
        ("postgresql://me@db", "is not complete, got postgresql://…@db; postgresql://user@host:5432/database"),
        ("mysql://me@db:many/lineage", "is not complete, got mysql://…@db:many/lineage"),
    ],
)
def test_a_wrong_address_is_told(url, message):
    with pytest.raises(ValidationError) as refused:
        Metadata(url=url)
    assert message in str(refused.value)


def test_the_password_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("LINEAGE", "secret")
    mysql = metadata_store.connection(Metadata(url="mysql://a%40b@db/lineage", password_env="LINEAGE"), HOME).mysql
    assert (mysql.host, mysql.port, mysql.database) == ("db", 3306, "lineage")
    assert (mysql.user, mysql.password) == ("a@b", "secret")
    server = metadata_store.connection(Metadata(url="postgresql://me@db:1/lineage", password_env="LINEAGE"), HOME)
    assert server.postgresql == proto.PostgreSQLDatabaseConfig(
        host="db", port="1", dbname="lineage", user="me", password="secret"
    )


def test_a_backslash_is_kept_from_the_database_and_given_back():
    stored = []

    def call(method, request, response):
        stored.append(type(request).FromString(request.SerializeToString()))
        response.CopyFrom(request)

    request = proto.Execution(name=r"a\b")
    request.custom_properties["config"].string_value = '{"a": "\\"b\\""}'
    request.custom_properties["number"].int_value = 3
    request.properties["tree"].struct_value["leaf"] = "\\"
    response = proto.Execution()
    metadata_postgresql._translated(call)("PutExecution", request, response)
    assert b"\\" not in stored[0].SerializeToString()
    assert stored[0] != request
    assert response == request
    assert request.name == r"a\b"
