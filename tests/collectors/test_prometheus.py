"""The energy of a host on the pages of other exporters, real ones where there are."""

from __future__ import annotations

import itertools
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from collectors.exposition import UnreadablePage, read_page
from collectors.instrument import Energy, Roots, SecretFile
from collectors.polling import Broken, NoAnswer, Sample
from collectors.sources.prometheus import Prometheus, PrometheusSettings, unit_of
from tests.collectors.instruments import read_as_it_goes

DATA = Path(__file__).parents[1] / "data" / "exporters"
KEPLER = json.loads((DATA / "kepler_idle.json").read_text(encoding="utf-8"))
NODE_EXPORTER = (DATA / "node_exporter.txt").read_text(encoding="utf-8")
SCRAPES_S = [int(at_s) for at_s, _ in KEPLER["kepler_node_package_joules_total"][0]["values"]]


def kepler_page(scrape: int) -> str:
    """The page that Kepler answered at one scrape."""
    lines = []
    for name, series in KEPLER.items():
        lines.append(f"# TYPE {name} counter")
        for one in series:
            labels = ",".join(f'{label}="{value}"' for label, value in one["metric"].items())
            values = dict(one["values"])
            if SCRAPES_S[scrape] in values:
                lines.append(f"{name}{{{labels}}} {values[SCRAPES_S[scrape]]}")
    return "\n".join(lines) + "\n"


def rapl_page(**joules: float) -> str:
    return "".join(
        f'# TYPE node_rapl_{zone}_joules_total counter\nnode_rapl_{zone}_joules_total{{index="0"}} {value}\n'
        for zone, value in joules.items()
    )


class File:
    """A page in a file, written again as if so many seconds had passed since the last time."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.path = path
        self.source = Prometheus(Roots(), PrometheusSettings(file=path, **settings))
        self.at_s = time.time() - 59
        self.before_s: float | None = None

    def asked(self, page: str, after_s: float = 10.0) -> Sample:
        self.at_s += after_s if self.before_s else 0
        self.before_s = self.at_s
        self.path.write_text(page)
        os.utime(self.path, (self.at_s, self.at_s))
        return self.source.ask()


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "page.prom")


def joules_of(name: str, scrape: int) -> float:
    return sum(float(one["values"][scrape][1]) for one in KEPLER[name])


class TestKepler:
    def test_the_node_is_its_packages_and_dram_idle_and_dynamic(self, tmp_path: Path) -> None:
        for scrape, (before_s, now_s) in enumerate(itertools.pairwise(SCRAPES_S), start=1):
            file = File(tmp_path / "page.prom")
            file.asked(kepler_page(scrape - 1))
            sample = file.asked(kepler_page(scrape), now_s - before_s)
            expected_j = sum(
                joules_of(name, scrape) - joules_of(name, scrape - 1)
                for name in ("kepler_node_package_joules_total", "kepler_node_dram_joules_total")
            )
            assert sample.counted_mj == pytest.approx(expected_j * 1000, abs=1)

    @pytest.mark.parametrize("zone", ["package", "dram"])
    def test_its_containers_add_up_to_the_node_within_half_a_percent(self, zone: str) -> None:
        def rise_j(of: str) -> float:
            name = f"kepler_{of}_{zone}_joules_total"
            pages = [
                read_page(kepler_page(scrape), {name}, {"mode", "package", "container_id"}).series[name]
                for scrape in range(len(SCRAPES_S))
            ]
            counted = [{str(one.labels): float(one.value) for one in page} for page in pages]
            return sum(
                now[series] - before[series]
                for before, now in itertools.pairwise(counted)
                for series in before.keys() & now.keys()
            )

        assert rise_j("container") == pytest.approx(rise_j("node"), rel=0.005)

    def test_what_it_estimates_by_a_model_is_not_measured(self, file: File) -> None:
        page = kepler_page(0).replace("rapl-sysfs", "trained power model")
        with pytest.raises(NoAnswer, match="estimated by 'trained power model', not measured"):
            file.asked(page)

    def test_the_zones_of_its_newer_versions_are_labels(self, file: File) -> None:
        def page(package_j: float, dram_j: float) -> str:
            zones = {"package": package_j, "core": package_j - 1, "dram": dram_j, "psys": 9 * package_j}
            return "".join(
                f'kepler_node_cpu_joules_total{{zone="{zone}",path="/sys/{zone}"}} {joules}\n'
                for zone, joules in zones.items()
            )

        file.asked(page(100, 10))
        assert file.asked(page(400, 40)).counted_mj == 330_000


class TestZones:
    def test_psys_and_package_and_core_and_uncore_together_count_one_of_them(self, file: File) -> None:
        file.asked(rapl_page(psys=5000, package=1000, core=700, uncore=100))
        sample = file.asked(rapl_page(psys=8000, package=3000, core=2000, uncore=300))
        assert sample.counted_mj == 2_000_000

    def test_dram_beside_its_package_counts_with_it(self, file: File) -> None:
        file.asked(rapl_page(package=1000, dram=500, core=700))
        assert file.asked(rapl_page(package=4000, dram=1100, core=2000)).counted_mj == 3_600_000

    def test_psys_counts_alone_where_there_is_no_package(self, file: File) -> None:
        file.asked(rapl_page(psys=5000, core=700))
        assert file.asked(rapl_page(psys=8000, core=900)).counted_mj == 3_000_000

    def test_two_packages_whose_counters_differ_by_less_than_a_joule_both_count(self, file: File) -> None:
        def page(joules: float) -> str:
            return "".join(
                f'node_rapl_package_joules_total{{index="{index}",path="/sys/intel-rapl:{index}"}} {value}\n'
                for index, value in ((0, joules), (1, joules + 0.5))
            )

        file.asked(page(1000))
        assert file.asked(page(2000)).counted_mj == 2_000_000

    def test_the_memory_mapped_mirror_of_a_package_counts_once(self, file: File) -> None:
        def page(joules: float) -> str:
            return "".join(
                f'node_rapl_package_joules_total{{index="{index}",path="/sys/{path}:0"}} {joules}\n'
                for index, path in enumerate(("intel-rapl", "intel-rapl-mmio"))
            )

        file.asked(page(1000))
        assert file.asked(page(2000)).counted_mj == 1_000_000

    def test_the_page_of_node_exporter_is_read_in_joules(self, file: File) -> None:
        file.asked(NODE_EXPORTER)
        later = NODE_EXPORTER.replace("240422.366267", "241422.366267").replace("118821.28", "119821.28")
        assert file.asked(later).counted_mj == 1_000_000


class TestResets:
    def test_a_total_that_is_lower_than_before_was_reset(self, file: File) -> None:
        file.asked(rapl_page(package=10_000))
        with pytest.raises(Broken, match="taken for a reset"):
            file.asked(rapl_page(package=1))
        assert file.asked(rapl_page(package=1001)).counted_mj == 1_000_000

    def test_an_exporter_that_was_started_again_is_not_compared_with_itself(self, file: File) -> None:
        page = "process_start_time_seconds {}\nkepler_node_package_joules_total {}\n"
        file.asked(page.format(1700000000, 100))
        with pytest.raises(Broken, match="started again"):
            file.asked(page.format(1700009000, 700))

    @pytest.mark.parametrize(
        ("name", "starts_s"),
        [
            ("node_boot_time_seconds", (1700000000, 1700000005, 1700000005, 1699999950)),
            ("process_start_time_seconds", (1700000000.31, 1700000001.31, 1700000001.31, 1699999999.31)),
        ],
    )
    def test_a_clock_that_is_set_moves_the_start_of_the_machine_and_is_no_restart(
        self, file: File, name: str, starts_s: tuple[float, ...]
    ) -> None:
        """The kernel tells its start by the clock that it has now."""
        for step, started_s in enumerate(starts_s):
            sample = file.asked(f"{name} {started_s}\n" + rapl_page(package=1000 + step * 20), 10)
            assert sample.counted_mj == (20_000 if step else None)
        with pytest.raises(Broken, match="started again"):
            file.asked(f"{name} 1700000950\n" + rapl_page(package=1080), 10)

    def test_a_minute_between_pages_of_a_counter_that_wraps_tells_nothing(self, tmp_path: Path) -> None:
        file = File(tmp_path / "page.prom")
        file.asked(rapl_page(package=1000))
        with pytest.raises(Broken, match="the counter may wrap"):
            file.asked(rapl_page(package=2000), 50)

    def test_more_than_a_socket_can_draw_is_a_torn_read(self, file: File) -> None:
        file.asked(rapl_page(package=1000))
        with pytest.raises(Broken, match="more than 1500 W"):
            file.asked(rapl_page(package=1_000_000))

    def test_counters_that_come_or_go_are_not_compared(self, file: File) -> None:
        file.asked(rapl_page(package=1000))
        with pytest.raises(Broken, match="not the same as at the last read"):
            file.asked(rapl_page(package=2000, dram=10))


class TestUnits:
    ENERGY = "# TYPE scaph_host_energy_microjoules counter\nscaph_host_energy_microjoules {}\n"
    POWER = "# TYPE scaph_host_power_microwatts gauge\nscaph_host_power_microwatts {}\n"

    def test_microjoules_and_microwatts_of_scaphandre_agree(self, file: File) -> None:
        file.asked(self.ENERGY.format(10**12) + self.POWER.format(350_000_000))
        sample = file.asked(self.ENERGY.format(10**12 + 1_750_000_000) + self.POWER.format(350_000_000), 5)
        assert (sample.power_mw, sample.counted_mj) == (350_000, 1_750_000)

    def test_microwatts_where_microjoules_are_expected_at_a_step_of_5_s_are_refused_by_unit(
        self, file: File
    ) -> None:
        file.asked(self.ENERGY.format(350_000_000) + self.POWER.format(350_000_000))
        with pytest.raises(Broken, match="says 350 W: one of them is in another unit"):
            file.asked(self.ENERGY.format(351_000_000) + self.POWER.format(350_000_000), 5)

    def test_microwatts_added_up_every_5_s_as_if_they_were_microjoules_are_refused_though_5_is_little(
        self, file: File
    ) -> None:
        file.asked(self.ENERGY.format(0) + self.POWER.format(350_000_000))
        for step in range(1, 4):
            page = self.ENERGY.format(step * 350_000_000) + self.POWER.format(350_000_000)
            with pytest.raises(Broken, match="rose by 350 J in 5 s where .* says 350 W"):
                file.asked(page, 5)

    def test_a_burst_between_two_pages_is_no_other_unit(self, file: File) -> None:
        """A host of 70 W that works at 700 W for 5 s out of sight of the power."""
        total_uj = 0
        file.asked(self.ENERGY.format(total_uj) + self.POWER.format(70_000_000))
        for step in range(1, 6):
            total_uj += 70_000_000 * 10 + (630_000_000 * 5 if step == 3 else 0)
            page = self.ENERGY.format(total_uj) + self.POWER.format(70_000_000)
            assert file.asked(page, 10).counted_mj == (3_850_000 if step == 3 else 700_000)

    def test_a_power_is_integrated_where_there_is_no_energy(self, file: File) -> None:
        sample = file.asked(self.POWER.format(350_000_000))
        assert (sample.power_mw, sample.counted_mj) == (350_000, None)

    @pytest.mark.parametrize(
        ("page", "reason"),
        [
            (ENERGY.format(5).replace("counter", "gauge"), "a gauge in microjoules is no counter"),
            (POWER.format(5).replace("gauge", "counter"), "a counter in microwatts is no power"),
        ],
    )
    def test_a_type_that_does_not_go_with_the_unit_is_refused(
        self, file: File, page: str, reason: str
    ) -> None:
        with pytest.raises(NoAnswer, match=reason):
            file.asked(page)

    @pytest.mark.parametrize(
        ("metric", "unit"),
        [
            ("node_rapl_package_joules_total", "joules"),
            ("scaph_host_power_microwatts", "microwatts"),
            ("server_power_watts", "watts"),
            ("server_energy_kwh_total", None),
            ("server_power", None),
        ],
    )
    def test_the_unit_of_a_metric_is_in_its_name(self, metric: str, unit: str | None) -> None:
        assert unit_of(metric) == unit

    @pytest.mark.parametrize(
        ("metric", "first", "second", "counted_mj", "power_mw"),
        [
            ("shelf_energy_kilojoules_total", 1, 3, 2_000_000, None),
            ("shelf_power_watts", 100, 200, None, 200_000),
        ],
    )
    def test_any_metric_may_be_named(
        self,
        tmp_path: Path,
        metric: str,
        first: int,
        second: int,
        counted_mj: int | None,
        power_mw: int | None,
    ) -> None:
        file = File(tmp_path / "page.prom", metric=metric)
        file.asked(f"{metric} {first}\n")
        sample = file.asked(f"{metric} {second}\n")
        assert (sample.counted_mj, sample.power_mw) == (counted_mj, power_mw)


class TestPages:
    @pytest.mark.parametrize(
        ("page", "reason"),
        [
            ("node_load1 0.21\n", "no series of the energy"),
            (rapl_page(dram=7), r"a part \(node_rapl_dram_joules_total\) and of no package"),
            ('kepler_node_cpu_joules_total{zone="core"} 7\n', "of a part .* and of no package"),
            ("node_rapl_package_joules_total NaN\n", "not finite"),
            ("node_rapl_package_joules_total +Inf\n", "not finite"),
            ("node_rapl_package_joules_total 1e999999999\n", "not finite"),
            ("node_rapl_package_joules_total twelve\n", "not a number"),
            ('node_rapl_package_joules_total{index="0 12\n', "not of the text format"),
            (rapl_page(package=1) + "kepler_node_package_joules_total 1\n", "series of kepler, node"),
            (
                'kepler_node_package_joules_total{instance="a"} 1\n'
                'kepler_node_package_joules_total{instance="b"} 1\n',
                r"tells of 2 hosts \(instance\)",
            ),
        ],
    )
    def test_a_page_that_is_no_good_is_a_reason(self, file: File, page: str, reason: str) -> None:
        with pytest.raises(NoAnswer, match=reason):
            file.asked(page)

    def test_one_host_is_found_by_its_labels_on_a_page_of_several(self, tmp_path: Path) -> None:
        def page(a: int, b: int) -> str:
            return "".join(
                f'kepler_node_package_joules_total{{instance="{host}:9102"}} {joules}\n'
                for host, joules in (("a", a), ("b", b))
            )

        file = File(tmp_path / "page.prom", labels=("instance=b:9102",))
        file.asked(page(100, 100))
        assert file.asked(page(900, 400)).counted_mj == 300_000

    def test_a_file_that_is_old_empty_or_the_same_is_no_answer(self, file: File) -> None:
        with pytest.raises(NoAnswer, match="No such file"):
            file.source.ask()
        file.asked(rapl_page(package=1))
        with pytest.raises(NoAnswer, match="not written again yet"):
            file.source.ask()
        with pytest.raises(NoAnswer, match="empty"):
            file.asked("")
        os.utime(file.path, (time.time() - 500, time.time() - 500))
        with pytest.raises(NoAnswer, match="written 500 s ago"):
            file.source.ask()

    def test_no_command_line_is_taken_from_labels(self, file: File) -> None:
        secret = 'scaph_process_power_consumption_microwatts{cmdline="db --password=s3cret"} 5\n'
        labelled = 'node_rapl_package_joules_total{index="0",cmdline="--password=s3cret"} '
        page = read_page(secret + f"{labelled}5\n", {"node_rapl_package_joules_total"}, {"index"})
        assert "s3cret" not in str(page)
        file.asked(secret + f"{labelled}500\n")
        with pytest.raises(Broken) as broken:
            file.asked(secret + f"{labelled}5\n")
        assert "s3cret" not in str(broken.value)
        with pytest.raises(UnreadablePage) as unreadable:
            read_page(f"{labelled}x\n", {"node_rapl_package_joules_total"}, {"index"})
        assert "s3cret" not in str(unreadable.value)

    def test_labels_are_read_with_what_they_escape(self) -> None:
        page = read_page(
            'a{path="C:\\\\x \\"y\\" \\n, }",index="1"} 2 1700000000000\n', {"a"}, {"path", "index"}
        )
        [series] = page.series["a"]
        assert series.labels == {"path": 'C:\\x "y" \n, }', "index": "1"}
        assert series.value == 2


@contextmanager
def exporter(
    pages: list[tuple[int, str]], authority: trustme.CA | None = None, token: str | None = None
) -> Iterator[str]:
    """A server that answers one page after the other, the last for ever; over TLS, to who has the token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = pages.pop(0) if len(pages) > 1 else pages[0]
            if token is not None and self.headers["Authorization"] != f"Bearer {token}":
                status, text = 401, ""
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    scheme = "https" if authority else "http"
    yield f"{scheme}://127.0.0.1:{server.server_address[1]}/metrics"
    server.shutdown()
    server.server_close()


def test_a_page_is_read_by_its_address() -> None:
    pages = [(200, rapl_page(package=100)), (503, ""), (200, rapl_page(package=100.01))]
    with exporter(pages) as url:
        source = Prometheus(Roots(), PrometheusSettings(url=url))
        assert source.available() is None
        assert source.ask().counted_mj is None
        with pytest.raises(NoAnswer, match="answered 503"):
            source.ask()
        assert source.ask().counted_mj == 10
    with pytest.raises(NoAnswer, match="refused"):
        source.ask()


def test_a_page_that_wants_a_token_gets_it_over_tls_and_a_new_one_as_it_is_written(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    (tmp_path / "token").write_text("old")
    with exporter([(200, rapl_page(package=100))], authority, token="new") as url:
        token_file, ca_file = SecretFile(tmp_path / "token"), tmp_path / "authority.pem"
        source = Prometheus(Roots(), PrometheusSettings(url=url, ca_file=ca_file, token_file=token_file))
        with pytest.raises(NoAnswer, match="answered 401"):
            source.ask()
        (tmp_path / "token").write_text("new")
        source.ask()
    (tmp_path / "token").unlink()
    assert "token_file" in str(source.available())


def test_the_energy_of_a_host_is_read_as_it_goes() -> None:
    power = "# TYPE scaph_host_power_microwatts gauge\nscaph_host_power_microwatts 350000000\n"
    with exporter([(200, power)]) as url:
        source = Prometheus(Roots(), PrometheusSettings(url=url))
        energy = read_as_it_goes(source)
    assert isinstance(energy, Energy)
    assert energy.energy_mj == pytest.approx(350 * energy.duration_ms, abs=400)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "url: either a url or a file"),
        ({"url": "http://a", "file": Path("b")}, "url: either a url or a file"),
        ({"url": "ftp://a"}, "url: 'ftp://a' is not an address"),
        (
            {"url": "http://a", "token_file": SecretFile(Path("t"))},
            "token_file: a token is sent over https only",
        ),
        (
            {"url": "http://a", "exporter": "cadvisor"},
            "exporter: 'cadvisor' is not one of auto, node_exporter",
        ),
        (
            {"url": "http://a", "metric": "server_power"},
            "metric: the name of 'server_power' ends with no unit",
        ),
        ({"url": "http://a", "labels": ("instance",)}, 'labels: each is "name=value"'),
        ({"url": "http://a", "every_seconds": 60.0}, "every_seconds: 1 to 40"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_would_be_right(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        PrometheusSettings(**wrong)


@pytest.mark.parametrize("text", ["s3cret\nsecond line\n", "s3cret\u20ac", "", "s3cret\x07"])
def test_a_token_file_that_is_replaced_by_no_token_is_a_reason_without_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text("s3cret", encoding="utf-8")
    settings = PrometheusSettings(url="https://127.0.0.1:1/", token_file=SecretFile(tmp_path / "token"))
    source = Prometheus(Roots(), settings)
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(NoAnswer, match="token_file: ") as refused:
        source.ask()
    assert "s3cret" not in str(refused.value)
    assert "token_file: " in str(source.available())
