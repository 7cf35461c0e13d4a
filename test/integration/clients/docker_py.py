"""Each test_ function drives the daemon of DOCKER_HOST with docker-py and prints one line when its assertions hold."""

import contextlib
import io
import socket
import tarfile

import docker
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound

client = docker.from_env()
ticking = ["sh", "-c", "echo started; exec sleep 600"]


@contextlib.contextmanager
def container(*args, **settings):
    made = client.containers.run("busybox", *(args or (ticking,)), detach=True, init=True, **settings)
    try:
        yield made
    finally:
        made.remove(force=True, v=True)


def archive(name, content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def test_the_daemon_is_known():
    assert client.ping()
    assert client.version()["ApiVersion"] == client.api.api_version
    assert client.info()["OSType"] == "linux"
    assert set(client.df()) >= {"Images", "Containers", "Volumes"}


def test_run_gives_the_output():
    script = ["sh", "-c", "echo out; echo err >&2"]
    assert client.containers.run("busybox", script, remove=True) == b"out\n"
    assert client.containers.run("busybox", script, remove=True, stderr=True) == b"out\nerr\n"
    assert client.containers.list(all=True) == []


def test_run_of_a_failure_raises():
    try:
        client.containers.run("busybox", ["sh", "-c", "echo why >&2; exit 3"], remove=True)
    except ContainerError as failure:
        assert (failure.exit_status, failure.stderr) == (3, b"why\n")
    else:
        raise AssertionError("no ContainerError")


def test_what_is_missing_is_not_found():
    for error, look in [
        (NotFound, lambda: client.containers.get("nobody")),
        (ImageNotFound, lambda: client.images.get("nobody")),
        (NotFound, lambda: client.networks.get("nobody")),
        (NotFound, lambda: client.volumes.get("nobody")),
    ]:
        try:
            look()
        except error:
            continue
        raise AssertionError(f"no {error.__name__}")


def test_lists_filter():
    with container(labels={"tier": "a"}, name="one") as one, container(labels={"tier": "b"}):
        assert client.containers.list(filters={"label": "tier=a", "status": "running"}) == [one]
        one.pause()
        one.reload()
        assert one.status == "paused"
        one.unpause()
        one.rename("uno")
        assert client.containers.get("uno") == one


def test_exec():
    with container(environment={"WHO": "me"}) as made:
        result = made.exec_run(["sh", "-c", "echo $WHO; echo err >&2; exit 4"], demux=True)
        assert (result.exit_code, result.output) == (4, (b"me\n", b"err\n"))
        assert b"".join(made.exec_run(["sh", "-c", "echo a; echo b"], stream=True).output) == b"a\nb\n"
        assert made.exec_run("cat /proc/self/stat", tty=True).exit_code == 0


def test_exec_reads_until_half_close():
    with container() as made:
        command = client.api.exec_create(made.id, ["cat"], stdin=True)["Id"]
        stream = client.api.exec_start(command, socket=True)
        stream._sock.sendall(b"hello")
        stream._sock.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: stream.read(4096), b"")) == b"\x01\0\0\0\0\0\0\x05hello"
        assert client.api.exec_inspect(command)["ExitCode"] == 0
        stream.close()


def test_logs_and_attach():
    with container(["sh", "-c", "echo one; echo two >&2; read x; echo $x"], stdin_open=True) as made:
        follow = made.logs(stream=True, follow=True)
        assert b"".join([next(follow), next(follow)]) in (b"one\ntwo\n", b"two\none\n")
        stream = made.attach_socket(params={"stdin": 1, "stream": 1})
        stream._sock.sendall(b"three\n")
        assert list(follow) == [b"three\n"]
        assert made.wait() == {"StatusCode": 0}
        assert made.logs(tail=1, stderr=False) == b"three\n"
        assert made.logs(stdout=False) == b"two\n"
        stream.close()


def test_stats_and_top():
    with container(mem_limit="64m") as made:
        once = made.stats(stream=False)
        assert once["memory_stats"]["limit"] == 64 << 20 and once["precpu_stats"]["system_cpu_usage"] > 0
        stream = made.stats(decode=True)
        assert next(stream)["id"] == made.id
        stream.close()
        assert made.top()["Processes"][-1][-1] == "sleep 600"
        made.update(mem_limit="96m", memswap_limit="96m")
        made.reload()
        assert made.attrs["HostConfig"]["Memory"] == 96 << 20


def test_archives():
    with container() as made:
        assert made.put_archive("/tmp", archive("note", b"abc"))
        pieces, stat = made.get_archive("/tmp/note")
        assert (stat["name"], stat["size"]) == ("note", 3)
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
            assert tar.extractfile("note").read() == b"abc"
        assert {"Path": "/tmp/note", "Kind": 1} in made.diff()
        with tarfile.open(fileobj=io.BytesIO(b"".join(made.export()))) as tar:
            assert tar.extractfile("tmp/note").read() == b"abc"


def test_images():
    with container() as made:
        assert made.commit("made", "v1").tags == ["made:v1"]
    image = client.images.get("made:v1")
    assert image.tag("made", "v2")
    saved = b"".join(image.save(named=True))
    client.images.remove("made:v1")
    client.images.remove("made:v2")
    assert [one.tags for one in client.images.load(saved)] == [["made:v1"]]
    assert client.images.list("made")[0].history()[0]["Tags"] == ["made:v1"]
    client.images.remove("made:v1")
    try:
        client.images.pull("127.0.0.1:1/nothing")
    except APIError as failure:
        assert "127.0.0.1:1" in failure.explanation
    else:
        raise AssertionError("no APIError")


def test_volumes():
    volume = client.volumes.create("kept", labels={"a": "b"})
    mount = {"kept": {"bind": "/data", "mode": "rw"}}
    client.containers.run("busybox", ["sh", "-c", "echo row >/data/rows"], volumes=mount, remove=True)
    assert client.containers.run("busybox", ["cat", "/data/rows"], volumes=mount, remove=True) == b"row\n"
    assert client.volumes.list(filters={"label": "a=b"}) == [volume]
    volume.remove()
    assert client.volumes.list() == []


def test_networks():
    network = client.networks.create("lan", labels={"a": "b"})
    with container(network="lan", name="server", hostname="server"), container() as other:
        network.connect(other, aliases=["alias"])
        network.reload()
        assert {one.name for one in network.containers} == {"server", other.name}
        assert other.exec_run("ping -c 1 -w 5 server").exit_code == 0
        network.disconnect(other)
        assert other.exec_run("ping -c 1 -w 1 server").exit_code != 0
    assert client.networks.prune(filters={"label": ["a=b"]})["NetworksDeleted"] == ["lan"]


def test_events():
    with container() as made:
        events = client.events(decode=True, filters={"container": made.id})
        made.restart(timeout=60)
        seen = [next(events)["Action"] for _ in range(4)]
        events.close()
        assert seen == ["kill", "die", "stop", "start"], seen


for name, run in list(globals().items()):
    if name.startswith("test_"):
        run()
        print("ok", name, flush=True)
client.close()
