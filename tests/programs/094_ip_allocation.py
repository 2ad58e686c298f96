"""Allocate subnets for teams from an address block and answer questions about addresses."""

import ipaddress
from ipaddress import IPv4Network, ip_address, ip_network


class Exhausted(Exception):
    pass


class Allocator:
    def __init__(self, block: str) -> None:
        self._free: list[IPv4Network] = [ip_network(block)]
        self._used: dict[str, IPv4Network] = {}

    def allocate(self, team: str, hosts: int) -> IPv4Network:
        prefix = 32 - (hosts + 1).bit_length()
        for candidate in sorted(self._free, key=lambda n: (-n.prefixlen, n.network_address)):
            if candidate.prefixlen > prefix:
                continue
            self._free.remove(candidate)
            chosen = candidate if candidate.prefixlen == prefix else next(candidate.subnets(new_prefix=prefix))
            self._free += candidate.address_exclude(chosen) if chosen != candidate else []
            self._used[team] = chosen
            return chosen
        raise Exhausted(f"no room for {hosts} hosts of {team}")

    def release(self, team: str) -> None:
        self._free.append(self._used.pop(team))
        self._free = list(ipaddress.collapse_addresses(self._free))

    def owner(self, address: str) -> str | None:
        return next((team for team, net in self._used.items() if ip_address(address) in net), None)

    @property
    def free(self) -> list[str]:
        return [str(n) for n in sorted(self._free)]


def describe(text: str) -> str:
    try:
        a = ip_address(text)
    except ValueError as exc:
        return str(exc)
    kinds = [k for k in ("private", "loopback", "multicast", "global") if getattr(a, f"is_{k}")]
    return f"IPv{a.version} {a.compressed} {'/'.join(kinds)}"


def run(inputs):
    allocator = Allocator(inputs["block"])
    given, failed = {}, []
    for team, hosts in inputs["teams"].items():
        try:
            net = allocator.allocate(team, hosts)
        except Exhausted as exc:
            failed.append(str(exc))
        else:
            given[team] = {"net": str(net), "mask": str(net.netmask), "hosts": net.num_addresses - 2}
    owners = {a: allocator.owner(a) for a in inputs["ask"]}
    allocator.release("web")
    return {
        "given": given, "failed": failed, "owners": owners, "free": allocator.free,
        "addresses": [describe(a) for a in inputs["addresses"]],
        "first": [str(h) for h in list(ip_network("10.0.0.0/29").hosts())[:2]],
        "next": str(ip_address("10.0.0.255") + 1),
    }

# inputs: {"block": "10.1.0.0/24", "teams": {"web": 50, "db": 10, "lab": 100, "big": 60, "tiny": 2}, "ask": ["10.1.0.5", "10.1.0.200", "10.2.0.1"], "addresses": ["192.168.1.1", "8.8.8.8", "::1", "2001:0db8::0001", "224.0.0.1", "300.1.1.1"]}
# expect: {"given": {"web": {"net": "10.1.0.0/26", "mask": "255.255.255.192", "hosts": 62}, "db": {"net": "10.1.0.64/28", "mask": "255.255.255.240", "hosts": 14}, "lab": {"net": "10.1.0.128/25", "mask": "255.255.255.128", "hosts": 126}, "tiny": {"net": "10.1.0.80/30", "mask": "255.255.255.252", "hosts": 2}}, "failed": ["no room for 60 hosts of big"], "owners": {"10.1.0.5": "web", "10.1.0.200": "lab", "10.2.0.1": null}, "free": ["10.1.0.0/26", "10.1.0.84/30", "10.1.0.88/29", "10.1.0.96/27"], "addresses": ["IPv4 192.168.1.1 private", "IPv4 8.8.8.8 global", "IPv6 ::1 private/loopback", "IPv6 2001:db8::1 private", "IPv4 224.0.0.1 multicast/global", "'300.1.1.1' does not appear to be an IPv4 or IPv6 address"], "first": ["10.0.0.1", "10.0.0.2"], "next": "10.0.1.0"}
