"""The life of versions, labels and config, on a real disk and through real sockets (sections 3, 10, 11)."""

import shutil
import threading
import time

import pytest

from serving import storage
from serving.errors import ServingError


def states(rest) -> dict[int, str]:
    listed = rest("/v1/models/half").json["model_version_status"]
    return {int(entry["version"]): entry["state"] for entry in listed}


def value(rest, target="/v1/models/half:predict") -> float:
    return rest(target, {"instances": [0.0]}).json["predictions"][0]


def test_a_new_version_takes_over_and_the_old_one_ends(tmp_path, half_models, put_version, serving_half, eventually):
    put_version(half_models[1], tmp_path, 1)
    with serving_half(tmp_path) as (_, rest):
        assert value(rest) == 1.0
        put_version(half_models[3], tmp_path, 3)
        eventually(lambda: states(rest) == {1: "END", 3: "AVAILABLE"})
        assert value(rest) == 3.0
        assert list(states(rest)) == [3, 1]
        put_version(half_models[2], tmp_path, 2)
        time.sleep(0.4)
        assert states(rest) == {1: "END", 3: "AVAILABLE"}


def test_a_deleted_version_gives_way_to_the_one_before(tmp_path, half_models, put_version, serving_half, eventually):
    put_version(half_models[1], tmp_path, 1)
    put_version(half_models[2], tmp_path, 2)
    with serving_half(tmp_path) as (_, rest):
        assert value(rest) == 2.0
        shutil.rmtree(tmp_path / "2")
        eventually(lambda: states(rest) == {1: "AVAILABLE", 2: "END"})
        assert value(rest) == 1.0
        shutil.rmtree(tmp_path / "1")
        eventually(lambda: states(rest) == {1: "END", 2: "END"})
        assert (
            rest("/v1/models/half:predict", {"instances": [0.0]}).error
            == "Servable not found for request: Latest(half)"
        )
        put_version(half_models[2], tmp_path, 2)
        eventually(lambda: states(rest) == {1: "END", 2: "AVAILABLE"})


def test_a_version_goes_only_when_its_last_request_is_answered(tmp_path, zoo_model, put_version, rest_of, eventually):
    from serving.server import for_model, running
    from serving.versions import LifePolicy

    put_version(zoo_model / "1", tmp_path, 1)
    with running(for_model("zoo", tmp_path, life=LifePolicy(poll_s=0.1))) as server:
        rest, answers = rest_of(server), []
        asked = {"signature_name": "spin", "inputs": [5e5]}
        slow = threading.Thread(target=lambda: answers.append(rest.predict(asked)), daemon=True)
        slow.start()
        eventually(lambda: server._http.waiting == 1)
        shutil.rmtree(tmp_path / "1")
        eventually(lambda: server.versions.status("zoo")[0][1] == "UNLOADING")
        assert rest.predict({"instances": [1.0]}).status == 404
        assert not answers
        slow.join()
        assert answers[0].status == 200
        eventually(lambda: server.versions.status("zoo")[0][1] == "END")


def test_what_is_no_version_is_ignored(tmp_path, half_models, put_version, serving_half):
    put_version(half_models[1], tmp_path, 1).rename(tmp_path / "00000001")
    shutil.copytree(half_models[2], tmp_path / "2.tmp")
    shutil.copytree(half_models[2], tmp_path / "-2")
    (tmp_path / "4").mkdir()
    (tmp_path / "5").write_text("")
    shutil.copytree(half_models[3], tmp_path / "6")
    (tmp_path / "6" / "variables" / "variables.index").unlink()
    assert list(storage.list_versions(str(tmp_path))) == [1]
    with serving_half(tmp_path) as (_, rest):
        assert states(rest) == {1: "AVAILABLE"}


def test_a_broken_version_leaves_the_old_one_serving_and_shows_why(
    tmp_path, half_models, put_version, serving_half, eventually
):
    put_version(half_models[1], tmp_path, 1)
    with serving_half(tmp_path) as (_, rest):
        broken = tmp_path / "2.tmp"
        broken.mkdir()
        (broken / "saved_model.pb").write_bytes(b"\x00 no model")
        broken.rename(tmp_path / "2")
        eventually(lambda: states(rest).get(2) == "END")
        entry = rest("/v1/models/half").json["model_version_status"][0]
        assert entry["status"]["error_code"] not in ("OK", "")
        assert entry["status"]["error_message"]
        assert value(rest) == 1.0
        put_version(half_models[3], tmp_path, 3)
        eventually(lambda: states(rest) == {1: "END", 2: "END", 3: "AVAILABLE"})


def test_a_version_that_was_half_copied_is_tried_again_when_its_files_change(
    tmp_path, half_models, put_version, serving_half, eventually
):
    from serving.versions import LifePolicy

    put_version(half_models[1], tmp_path, 1)
    life = LifePolicy(poll_s=0.1, max_load_retries=3, retry_interval_s=60)
    with serving_half(tmp_path, life=life) as (_, rest):
        (tmp_path / "2").mkdir()
        whole = (half_models[2] / "saved_model.pb").read_bytes()
        (tmp_path / "2" / "saved_model.pb").write_bytes(whole[:100])
        eventually(lambda: rest("/v1/models/half").json["model_version_status"][0]["status"]["error_code"] != "OK")
        assert states(rest)[2] == "LOADING"
        shutil.copytree(half_models[2] / "variables", tmp_path / "2" / "variables")
        (tmp_path / "2" / "saved_model.pb").write_bytes(whole)
        eventually(lambda: states(rest) == {1: "END", 2: "AVAILABLE"})


def test_a_failing_model_does_not_hold_up_another(tmp_path, half_models, put_version, eventually):
    from serving import model_config
    from serving.server import ServerOptions, running
    from serving.versions import LifePolicy

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        put_version(half_models[1], tmp_path / name, 1)
    config = model_config.single("a", str(tmp_path / "a"))
    config.model_config_list.config.add(name="b", base_path=str(tmp_path / "b"), model_platform="tensorflow")
    life = LifePolicy(poll_s=0.1, max_load_retries=5, retry_interval_s=60)
    with running(ServerOptions(models=config, rest_port=0, life=life)) as server:
        (tmp_path / "a" / "9").mkdir()
        (tmp_path / "a" / "9" / "saved_model.pb").write_bytes(b"\x00")
        eventually(lambda: any(error for _, _, error in server.versions.status("a")))
        put_version(half_models[2], tmp_path / "b", 2)
        eventually(lambda: server.versions.is_available("b", 2), 10)
        assert server.versions.is_available("a", 1)


POLICIES = [
    ("", {5}), ("latest { num_versions: 2 }", {3, 5}), ("latest { }", {5}), ("all { }", {1, 3, 5}),
    ("specific { versions: 1 versions: 3 versions: 9 }", {1, 3}), ("specific { }", set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), POLICIES)
def test_a_policy_selects_versions(text, expected):
    from google.protobuf import text_format

    from serving import model_config

    config = model_config.single("m", "/m").model_config_list.config[0]
    assert storage.wanted(text_format.Parse(text, config.model_version_policy), [1, 3, 5]) == expected


def config_text(base, policy="", labels=(), name="half"):
    labelled = "".join(f'version_labels {{ key: "{k}" value: {v} }} ' for k, v in labels)
    return (
        f'model_config_list {{ config {{ name: "{name}" base_path: "{base}" model_platform: "tensorflow" '
        f"{policy and 'model_version_policy { ' + policy + ' }'} {labelled} }} }}"
    )


@pytest.fixture
def followed(tmp_path, half_models, put_version, rest_of):
    """A server that reads its config file again every 0.1 s, with versions 1 to 3 on disk; (server, rest, write)."""
    from serving.grpc_server import GrpcOptions
    from serving.server import ServerOptions, running
    from serving.versions import LifePolicy

    file, base = tmp_path / "models.config", tmp_path / "half"
    base.mkdir()
    for number in (1, 2, 3):
        put_version(half_models[number], base, number)
    file.write_text(config_text(base))
    options = ServerOptions(
        config_file=str(file), config_poll_s=0.1, rest_port=0, early_labels=True, life=LifePolicy(poll_s=0.1),
        grpc=GrpcOptions(address="127.0.0.1:0"),
    )  # fmt: skip
    with running(options) as server:
        yield server, rest_of(server), lambda *args, **named: file.write_text(config_text(base, *args, **named))


def test_a_changed_config_file_is_followed(followed, eventually):
    _, rest, write = followed
    assert states(rest) == {3: "AVAILABLE"}
    write("specific { versions: 1 versions: 2 }", [("stable", 1), ("canary", 2)])
    eventually(lambda: states(rest) == {1: "AVAILABLE", 2: "AVAILABLE", 3: "END"})
    assert value(rest) == 2.0
    assert value(rest, "/v1/models/half/labels/stable:predict") == 1.0
    assert value(rest, "/v1/models/half/labels/canary:predict") == 2.0
    write("specific { versions: 1 versions: 2 }", [("stable", 2)])
    eventually(lambda: value(rest, "/v1/models/half/labels/stable:predict") == 2.0)
    assert rest("/v1/models/half/labels/canary:predict", {"instances": [0.0]}).status == 400


def test_a_wrong_config_file_changes_nothing(followed, caplog):
    _, rest, write = followed
    with caplog.at_level("ERROR"):
        write("no policy")
        time.sleep(0.3)
    assert "not applied" in caplog.text
    assert value(rest) == 3.0


def test_an_old_label_may_not_move_to_a_version_that_is_not_loaded(followed, eventually):
    _, rest, write = followed
    write("", [("stable", 3)])
    eventually(lambda: rest("/v1/models/half/labels/stable:predict", {"instances": [0.0]}).status == 200)
    write("", [("stable", 1)])
    time.sleep(0.3)
    assert value(rest, "/v1/models/half/labels/stable:predict") == 3.0


def test_a_config_comes_over_grpc_too(followed, half_models):
    import grpc
    from google.protobuf import text_format
    from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

    server, _, _ = followed
    server.options.config_file = ""  # the file would undo it at the next look
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        request = model_management_pb2.ReloadConfigRequest()
        with pytest.raises(grpc.RpcError, match="Only ModelConfigList is currently supported"):
            stub.HandleReloadConfigRequest(request)
        text_format.Parse(config_text(half_models[1].parent, name="other"), request.config)
        assert stub.HandleReloadConfigRequest(request, timeout=30).status.error_code == 0
        assert server.versions.is_available("other", 4)


def test_without_the_flag_a_label_at_start_up_is_refused(tmp_path, half_models, put_version):
    from serving.server import ServerOptions, running

    put_version(half_models[1], tmp_path, 1)
    file = tmp_path / "models.config"
    file.write_text(config_text(tmp_path, labels=[("stable", 1)]))
    options = ServerOptions(config_file=str(file), rest_port=0)
    with pytest.raises(ServingError, match="which is not currently available for inference"), running(options):
        pass


def test_a_server_whose_model_never_loads_does_not_start(tmp_path, serving_half):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"\x00")
    with pytest.raises(ServingError, match=r"1 servable\(s\) did not become available"), serving_half(tmp_path):
        pass


def test_checks_of_a_config_come_in_order():
    from google.protobuf import text_format

    from serving import model_config

    def parse(text):
        return text_format.Parse(text, model_config.empty())

    entry = 'config { name: "m" base_path: "/m" model_platform: "tensorflow" }'
    one = f"model_config_list {{ {entry} }}"
    served = model_config.check(parse(one), {})
    wrong = [
        ("custom_model_config { }", "FAILED_PRECONDITION", "Cannot transition to requested config"),
        (
            f"model_config_list {{ {entry} {entry} }}",
            "INVALID_ARGUMENT",
            "Illegal to list model m multiple times in config list",
        ),
        (one.replace('"/m"', '"m"'), "INVALID_ARGUMENT", "an absolute path or URI; got base_path()=m"),
        (one.replace('"tensorflow"', '"other"'), "INVALID_ARGUMENT", "Illegal to change a model's platform"),
        (one.replace('model_platform: "tensorflow"', ""), "INVALID_ARGUMENT", "Illegal setting neither"),
        (one.replace("base_path", "model_type: TENSORFLOW base_path"), "INVALID_ARGUMENT", "Illegal setting both"),
    ]
    for text, code, message in wrong:
        with pytest.raises(ServingError) as caught:
            model_config.check(parse(text), served)
        assert (caught.value.code, message in caught.value.message) == (code, True), caught.value


def test_versions_answer_while_they_are_swapped(tmp_path, half_models, put_version, serving_half, eventually):
    put_version(half_models[1], tmp_path, 1)
    with serving_half(tmp_path) as (_, rest):
        answers, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                answers.append(rest.predict({"instances": [0.0]}, model="half"))

        askers = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
        for asker in askers:
            asker.start()
        for number in (2, 3, 4):
            put_version(half_models[number], tmp_path, number)
            eventually(lambda n=number: states(rest).get(n) == "AVAILABLE")
            shutil.rmtree(tmp_path / str(number - 1))
        eventually(lambda: value(rest) == 4.0)
        stop.set()
        for asker in askers:
            asker.join()
        assert {answer.status for answer in answers} == {200}
        seen = [answer.json["predictions"][0] for answer in answers]
        assert set(seen) >= {1.0, 4.0}
