"""Where a program says a value: one token, or no answer (law 4)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from backburn.catalogue import resize
from backburn.errors import Abstained
from backburn.patch import apply, make
from backburn.programs import edits, locate, project_of
from backburn.programs.place import Place
from backburn.workload import Resource
from tests.fakes.program import CONFIG, MAIN, PROJECT, ROOT, shop
from tests.unit.test_catalogue import TASK, allowed

SERVICE = Resource(type="aws:ecs/service:Service", name="shop-service")


def found(
    files: Mapping[str, bytes], resource: Resource = TASK, *properties: str, directory: str = "."
) -> Mapping[str, Place]:
    """The places of cpu and memory, or of these."""
    return locate(files, directory, "dev", resource, properties or ("cpu", "memory"))


def larger(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The files with the next task size."""
    places = found(files)
    change = resize(allowed(), {k: p.value for k, p in places.items()}, "own_cpu")
    return apply(make(files, edits(places, change)), files)


def with_main(old: str, new: str) -> dict[str, bytes]:
    """The shop with a text of its program replaced."""
    assert old in MAIN
    return shop(**{"__main__.py": MAIN.replace(old, new)})


def test_two_tokens_change_and_nothing_else() -> None:
    """The whole diff of the shop."""
    expected = MAIN.replace('"512"', '"1024"').replace('memory="1024"', 'memory="2048"')
    assert larger(shop())["__main__.py"].decode() == expected


def test_the_chatbots_own_program_is_understood() -> None:
    """The patient of the sandbox: names are f-strings of a constant."""
    folder = ROOT / "chatbot" / "infra"
    files = {f.name: f.read_bytes() for f in folder.iterdir() if f.is_file()}
    task = Resource(type=TASK.type, name="otel-ai-chatbot-task")
    assert {k: p.value for k, p in found(files, task).items()} == {"cpu": "512", "memory": "1024"}
    service = Resource(type=SERVICE.type, name="otel-ai-chatbot-service")
    assert found(files, service, "desiredCount")["desiredCount"].file == "Pulumi.dev.yaml"


def test_line_ends_marks_and_quotes_stay() -> None:
    """A Windows file with a byte order mark, raw and single quotes, odd blanks and comments."""
    text = MAIN.replace('cpu="512",', "cpu = r'512',  # half").replace(
        'memory="1024"', "memory=1024"
    )
    data = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    after = larger(shop() | {"__main__.py": data})["__main__.py"]
    assert after == data.replace(b"r'512'", b"r'1024'").replace(b"memory=1024", b"memory=2048")


def test_umlauts_before_it_do_not_move_it() -> None:
    """Offsets are bytes."""
    files = with_main('"""The shop."""', '"""Der Grö\u00dfte \U0001f600."""')
    assert b'cpu="1024"' in larger(files)["__main__.py"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import pulumi_aws as aws", "import pulumi_aws as aws\nfrom pulumi_aws import ecs"),
        ('f"{APP}-task"', '"shop-task"'),
        ('f"{APP}-task"', 'APP + "-task"'),
        ('f"{APP}-task"', '"shop" "-task"'),
        ('    f"{APP}-task",\n', '    resource_name=f"{APP}-task",\n'),
        ('cpu="512"', 'cpu=("512")'),
        ('cpu="512"', "cpu='512'"),
        ('cpu="512"', 'cpu=u"512"'),
        ('cpu="512"', "cpu=512"),
        ('APP = "shop"', 'APP: str = "shop"'),
    ],
)
def test_it_is_found_however_it_is_written(old: str, new: str) -> None:
    """Names of constants, any import, any quotes, numbers."""
    assert found(with_main(old, new))["cpu"].value == "512"


@pytest.mark.parametrize(
    ("imported", "called"),
    [
        ("from pulumi_aws import ecs", "ecs.TaskDefinition("),
        ("from pulumi_aws.ecs import TaskDefinition", "TaskDefinition("),
        ("from pulumi_aws.ecs import TaskDefinition as Task", "Task("),
        ("import pulumi_aws", "pulumi_aws.ecs.TaskDefinition("),
    ],
)
def test_any_import_of_the_class_is_known(imported: str, called: str) -> None:
    """The constructor is known by its qualified name, not by how it is spelt."""
    text = MAIN.replace("import pulumi_aws as aws", f"import pulumi_aws as aws\n{imported}")
    files = shop(**{"__main__.py": text.replace("aws.ecs.TaskDefinition(", called)})
    assert found(files)["cpu"].line == MAIN[: MAIN.index('cpu="512"')].count("\n") + 2


def test_a_constant_that_is_used_once_is_followed() -> None:
    """It belongs to this resource alone."""
    files = with_main('    cpu="512",', "    cpu=CPU,")
    files["__main__.py"] = files["__main__.py"].replace(
        b'APP = "shop"', b'APP = "shop"\nCPU = "512"'
    )
    assert larger(files)["__main__.py"].count(b'CPU = "1024"') == 1


def test_arguments_in_an_object_are_the_resources_own() -> None:
    """`TaskDefinitionArgs(...)` as second argument or as `args`."""
    for start in ("", "args="):
        text = MAIN.replace(
            '    family=APP,\n    cpu="512",\n    memory="1024",\n',
            f'    {start}aws.ecs.TaskDefinitionArgs(family=APP, cpu="512", memory="1024"),\n',
        )
        assert found(shop(**{"__main__.py": text}))["memory"].value == "1024"


@pytest.mark.parametrize("value", ['config.require("cpu")', 'config.get("cpu") or "256"'])
def test_stack_configuration_is_followed(value: str) -> None:
    """The token in Pulumi.dev.yaml changes; the comment beside it stays."""
    files = with_main('cpu="512"', f"cpu={value}")
    files["Pulumi.dev.yaml"] = f'{CONFIG}  shop:cpu: "512" # small\n'.encode()
    assert larger(files)["Pulumi.dev.yaml"].endswith(b'  shop:cpu: "1024" # small\n')


def test_a_namespace_of_configuration_is_known() -> None:
    """`pulumi.Config("sizes")` reads `sizes:cpu`."""
    files = with_main('cpu="512"', 'cpu=pulumi.Config("sizes").require("cpu")')
    files["Pulumi.dev.yaml"] = f"{CONFIG}  sizes:cpu: 512\r\n".encode()
    assert found(files)["cpu"].token == "512"


def test_the_program_may_stand_in_a_folder() -> None:
    """Other folders and virtualenvs of the bundle are not looked at."""
    files = {f"infra/{name}": data for name, data in shop().items()}
    files |= {"app/x.py": b"no python(", "infra/venv/lib/x.py": b"neither("}
    assert found(files, directory="infra")["cpu"].file == "infra/__main__.py"


IGNORES = 'skip_destroy=True,\n    opts=pulumi.ResourceOptions(ignore_changes=["{}"]),'

# Traps of real programs: each must end in words, none in an edit.
TRAPS: list[tuple[str, str, str]] = [
    ('f"{APP}-task"', 'f"{APP}-job"', "no call makes"),
    ('f"{APP}-task"', 'f"{pulumi.get_stack()}-task"', "names at __main__.py:13 are computed"),
    ('f"{APP}-task"', 'f"{APP!r}-task"', "are computed"),
    ('f"{APP}-task"', "*names", "are computed"),
    ('cpu="512"', 'cpu=f"{512}"', "cpu is computed"),
    ('cpu="512"', "cpu=str(512)", "cpu is computed"),
    ('cpu="512"', "cpu=2 * 256", "cpu is computed"),
    ('cpu="512"', 'cpu="512" if APP else "256"', "cpu is computed"),
    ('cpu="512"', 'cpu=SIZES["small"]', "cpu is computed"),
    ('cpu="512"', 'cpu=b"512"', "cpu is computed"),
    ('cpu="512"', 'cpu="5" "12"', "cpu is computed"),
    ('cpu="512"', 'cpu=os.environ["CPU"]', "cpu is computed"),
    ('cpu="512"', 'cpu=stack.get_output("cpu")', "cpu is computed"),
    ('cpu="512"', "cpu=CPU", "no constant set once"),
    ('    cpu="512",\n', "", "does not say cpu in its own call"),
    ('    cpu="512",\n    memory="1024",\n', "    **SIZE,\n", "does not say cpu"),
    ('cpu="512"', 'cpu="\\x35\\x31\\x32"', "cannot be rewritten safely"),
    ("skip_destroy=True,", IGNORES.format("cpu"), "ignore_changes of shop-task has cpu"),
    ("skip_destroy=True,", IGNORES.format("memory"), "ignore_changes of shop-task has memory"),
    ("skip_destroy=True,", IGNORES.format("*"), "ignore_changes"),
    (
        "skip_destroy=True,",
        "opts=pulumi.ResourceOptions(ignore_changes=IGNORED),",
        "an expression we cannot read",
    ),
    (
        "skip_destroy=True,",
        'opts=pulumi.ResourceOptions.merge(A, pulumi.ResourceOptions(ignore_changes=["cpu"])),',
        "ignore_changes of shop-task has cpu",
    ),
    ("import json", "import json\nimport (", "not Python"),
    ('"""The shop."""', "# coding: latin-1", "not UTF-8 but latin-1"),
]


@pytest.mark.parametrize(("old", "new", "said"), TRAPS, ids=[t[1][:40] for t in TRAPS])
def test_law_4_in_doubt_nothing_is_edited(old: str, new: str, said: str) -> None:
    """Computed, shared, owned elsewhere or unreadable values are handed over."""
    with pytest.raises(Abstained, match=said):
        larger(with_main(old, new))


def test_law_4_options_in_a_variable_are_followed() -> None:
    """The options of several resources often are one constant."""
    files = with_main("skip_destroy=True,", "opts=OPTIONS,")
    options = b'APP = "shop"\nOPTIONS = pulumi.ResourceOptions(ignore_changes=["cpu"])'
    files["__main__.py"] = files["__main__.py"].replace(b'APP = "shop"', options)
    with pytest.raises(Abstained, match="ignore_changes"):
        found(files)


def test_other_ignored_properties_do_not_matter() -> None:
    """Tags may belong to somebody else."""
    assert found(with_main("skip_destroy=True,", IGNORES.format("tags")))["cpu"].value == "512"


def constant(text: str, **more: str) -> dict[str, bytes]:
    """The shop with `cpu=CPU` and this in place of the constant."""
    main = MAIN.replace('cpu="512"', "cpu=CPU").replace('APP = "shop"', f'APP = "shop"\n{text}')
    return shop(**{"__main__.py": main}, **more)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (constant('CPU = "512"\nprint(CPU)'), "used 2 times"),
        (constant('CPU = "512"\nx = globals()["CPU"]'), "used 2 times"),
        (constant('CPU = "512"\nimport __main__ as me\nx = me.CPU'), "used 2 times"),
        (constant('CPU = "512"\nx = f"{CPU}"'), "used 2 times"),
        (constant('CPU = "512"\ndef f():\n    global CPU\n    CPU = 1'), "no constant set once"),
        (constant('CPU = "512"\nCPU += "4"'), "no constant set once"),
        (constant('CPU = "512"\nif (CPU := "4"): pass'), "no constant set once"),
        (constant('CPU = "512"\nCPU = "1024"'), "no constant set once"),
        (constant('if APP:\n    CPU = "512"'), "no constant set once"),
        (constant('CPU = MEMORY = "512"'), "no constant set once"),
        (constant('CPU, MEMORY = "512", "1024"'), "no constant set once"),
        (constant("from sizes import CPU"), "no constant set once"),
        (constant("for CPU in SIZES: pass"), "no constant set once"),
        (
            constant('CPU = "512"', **{"jobs.py": "from __main__ import CPU"}),
            "also named in jobs.py",
        ),
        (constant('CPU = "256" * 2'), "cpu is computed"),
        (constant("CPU: str"), "no constant set once"),
    ],
)
def test_law_4_a_shared_or_odd_constant_is_left_alone(files: dict[str, bytes], said: str) -> None:
    """Changing it would change more than one thing, or nothing."""
    with pytest.raises(Abstained, match=said):
        found(files)


def configured(config: str, value: str = 'config.require("cpu")') -> dict[str, bytes]:
    """The shop with its CPU from this configuration."""
    files = with_main('cpu="512"', f"cpu={value}")
    return files | {"Pulumi.dev.yaml": config.encode()}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (configured(CONFIG), "does not set"),
        (configured("", 'config.get("cpu") or "512"'), "default may serve other stacks"),
        (configured(f"{CONFIG}  shop:cpu:\n    secure: abc\n"), "no plain value"),
        (configured(f"{CONFIG}  shop:cpu: true\n"), "no plain value"),
        (configured(f"{CONFIG}  shop:cpu: |\n    512\n"), "written in a way"),
        (configured(f"{CONFIG}  shop:cpu: &size 512\n  shop:other: *size\n"), "written in a way"),
        (configured(f"{CONFIG}  shop:cpu: !!str 512\n"), "no plain value"),
        (configured(f"{CONFIG}  shop:cpu: 0x200\n"), "written in a way"),
        (configured(f"{CONFIG}  shop:cpu: 512\n  shop:cpu: 1024\n"), "is no YAML"),
        (configured("config: [\n"), "is no YAML"),
        (
            configured(f"{CONFIG}  shop:cpu: 512\n", 'config.require("cpu" + X)'),
            "cpu is computed",
        ),
        (configured(f"{CONFIG}  shop:cpu: 512\n", 'other.require("cpu")'), "cpu is computed"),
        (
            configured(f"{CONFIG}  shop:cpu: 512\n", 'pulumi.Config(X).require("cpu")'),
            "cpu is computed",
        ),
    ],
)
def test_law_4_configuration_in_doubt_is_left_alone(files: dict[str, bytes], said: str) -> None:
    """Secrets, anchors, defaults, blocks and keys nobody sets."""
    with pytest.raises(Abstained, match=said):
        found(files)


def test_law_4_a_key_that_is_read_twice_is_left_alone() -> None:
    """It would change two things."""
    files = configured(f"{CONFIG}  shop:cpu: 512\n")
    files["jobs.py"] = b'import pulumi\nx = pulumi.Config().get("cpu")\n'
    with pytest.raises(Abstained, match="is read 2 times"):
        found(files)


def test_law_4_a_resource_that_is_made_twice_is_left_alone() -> None:
    """Which of the two branches runs is not known without running."""
    again = b'\nif APP:\n    aws.ecs.TaskDefinition("shop-task", cpu="256", memory="512")\n'
    files = shop()
    files["__main__.py"] += again
    with pytest.raises(Abstained, match=r"several places: __main__\.py:13, __main__\.py:\d+"):
        found(files)


def test_law_4_one_value_for_both_is_left_alone() -> None:
    """A key that is CPU and memory at once cannot be half changed."""
    text = MAIN.replace('cpu="512"', 'cpu=config.require("size")')
    text = text.replace('memory="1024"', 'memory=config.require("size")')
    with pytest.raises(Abstained, match="read 2 times"):
        found(shop(**{"__main__.py": text, "Pulumi.dev.yaml": f"{CONFIG}  shop:size: 1024\n"}))


@pytest.mark.parametrize(
    ("project", "said"),
    [
        ("name: shop\nruntime: yaml\n", "runtime is yaml"),
        ("name: shop\nruntime:\n  name: nodejs\n", "runtime is nodejs"),
        ("runtime: python\n", "names no project"),
        ("- a\n", "names no project"),
        ("name: [\n", "is no YAML"),
    ],
)
def test_other_languages_are_handed_over(project: str, said: str) -> None:
    """Only Python programs are edited."""
    with pytest.raises(Abstained, match=said):
        found(shop(**{"Pulumi.yaml": project}))


def test_a_bundle_without_a_program_is_told() -> None:
    """The folder is a setting of the workload."""
    with pytest.raises(Abstained, match=r"program\.directory"):
        found(shop(), directory="infra")
    assert project_of(shop(), ".")["name"] == "shop"
    assert "virtualenv" in PROJECT


def test_bytes_that_are_no_text_are_told() -> None:
    """With the first byte that is wrong."""
    with pytest.raises(Abstained, match="not UTF-8: byte 3"):
        found(shop() | {"__main__.py": b"# \x20\xff"})


def test_a_value_that_moved_on_is_not_overwritten() -> None:
    """The change was thought for another value."""
    places = found(shop())
    change = resize(allowed(), {"cpu": "256", "memory": "1024"}, "own_cpu")
    with pytest.raises(Abstained, match="says cpu is 512, not 256"):
        edits(places, change)
