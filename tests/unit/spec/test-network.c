/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "scratch.h"
#include "util/strv.h"

static Spec *load(const char *name) {
        return scratch_load(spec_network_load, name);
}

static void wrong(const char *text, unsigned line, unsigned column, const char *what) {
        scratch_wrong_file(spec_network_load, "wrong.network", text, line, column, what);
}

START_TEST(what_a_file_says_is_typed) {
        const SpecNetworkFile *n;
        Spec *s;

        scratch_write("full.network", "[Network]\nNetworkName=lan\nSubnet=10.1.2.3/24 fd00:1::/64\nGateway=10.1.2.254\nGateway=fd00:1::fe\n"
                                      "IPRange=10.1.2.128/25\nInternal=yes\nIPv6=yes\nInterfaceName=lan0\nLabel=a=b\nOptions=mtu=1400,isolate=true\n"
                                      "DisableDNS=yes\nDNS=192.0.2.1\nNetworkDeleteOnStop=yes\nDriver=bridge\nIPAMDriver=host-local\n");
        s = load("full");
        n = &s->net;
        ck_assert_int_eq(s->kind, SPEC_NETWORK);
        ck_assert_uint_eq(s->n_processes, 0);
        ck_assert_str_eq(s->service, "full-network");
        ck_assert_str_eq(spec_network_name(s), "lan");
        ck_assert_uint_eq(n->subnets.n, 2);
        ck_assert_str_eq(n->subnets.items[0].value, "10.1.2.0/24");
        ck_assert_str_eq(n->subnets.items[1].value, "fd00:1::/64");
        ck_assert_str_eq(n->gateways.items[1].value, "fd00:1::fe");
        ck_assert_str_eq(n->ranges.items[0].value, "10.1.2.128-10.1.2.255");
        ck_assert(n->internal.value && n->ipv6.value && n->disable_dns.value && n->delete_on_stop.value);
        ck_assert_str_eq(n->interface_name.value, "lan0");
        ck_assert_uint_eq(n->mtu.value, 1400);
        ck_assert_uint_eq(n->isolate.value, 1);
        ck_assert_str_eq(n->dns.items[0].value, "192.0.2.1");
}
END_TEST

START_TEST(values_that_are_none) {
        wrong("[Network]\nSubnet=10.1.2.3\n", 2, 8, "'10.1.2.3' is not a subnet with room for two hosts: ADDRESS/PREFIX");
        wrong("[Network]\nSubnet=10.1.2.3/31\n", 2, 8, "'10.1.2.3/31' is not a subnet with room for two hosts: ADDRESS/PREFIX");
        wrong("[Network]\nSubnet=10.1.0.0/24 10.2.0.0/24\n", 2, 20, "a network has one of each family, '10.1.0.0/24' was said before");
        wrong("[Network]\nSubnet=10.1.0.0/24\nGateway=10.1.1.1\n", 3, 9, "Gateway=10.1.1.1 is outside of the subnet 10.1.0.0/24");
        wrong("[Network]\nGateway=10.1.1.1\n", 2, 9, "Gateway= needs a Subnet= of its family");
        wrong("[Network]\nSubnet=10.1.0.0/24\nIPRange=10.1.0.9-10.1.1.9\n", 3, 9,
                "IPRange=10.1.0.9-10.1.1.9 is outside of the subnet 10.1.0.0/24");
        wrong("[Network]\nIPRange=10.1.0.9-10.1.0.8\n", 2, 9, "'10.1.0.9-10.1.0.8' is not a range of addresses: ADDRESS/PREFIX or FIRST-LAST");
        wrong("[Network]\nOptions=mtu=10\n", 2, 9, "'10' is not an MTU: 68 to 65535");
        wrong("[Network]\nOptions=vlan=10\n", 2, 9, "option 'vlan=10' of a network is not supported; there are mtu= and isolate=");
        wrong("[Network]\nDriver=macvlan\n", 2, 8, "driver 'macvlan' is not supported; there is bridge");
        wrong("[Network]\nIPAMDriver=dhcp\n", 2, 12, "address management 'dhcp' is not supported; there is host-local");
        wrong("[Network]\nInterfaceName=a/b\n", 2, 15, "'a/b' is not a name of an interface: at most 15 letters, digits, '_', '.' and '-'");
        wrong("[Network]\nNetworkName=../a\n", 2, 13, "'../a' is not a name of a network: at most 64 letters, digits, '_', '.' and '-'");
        wrong("[Network]\nNetworkName=berth\n", 2, 13, "'berth' is the name of the network that apps are on without a file");
        wrong("[Network]\nPodmanArgs=-x\n", 2, 1, "key 'PodmanArgs' is known from Quadlet, not supported yet");
        wrong("[Container]\nImage=x\n[Network]\n", 1, 1, "section [Container] belongs into a file NAME.container");
        wrong("[Service]\nRestart=always\n[Network]\n", 2, 1, "the making of a network ends with success, Restart= would begin it again for ever");
}
END_TEST

START_TEST(an_app_names_a_file) {
        const SpecProcess *p;

        scratch_write("back.network", "[Network]\nInternal=yes\n");
        p = scratch_spec("x", "[Container]\nImage=x\nNetwork=back.network\nIP=10.0.0.7\nIP6=fd00::7\nNetworkAlias=db data\nExposeHostPort=80 8000-8010/udp\n")->processes;
        ck_assert_int_eq(p->network, SPEC_NETWORK_FILE);
        ck_assert_str_eq(p->network_unit, "back-network.service");
        ck_assert(p->network_spec && p->network_spec->net.internal.value);
        ck_assert_str_eq(p->ip.value, "10.0.0.7");
        ck_assert_str_eq(p->ip6.value, "fd00::7");
        ck_assert_uint_eq(p->network_aliases.n, 2);
        ck_assert_uint_eq(p->expose.n, 2);
        p = scratch_spec("x", "[Container]\nImage=x\nNetwork=back.network\n[Process a]\nNetwork=host\n[Process b]\n")->processes;
        ck_assert_int_eq(p[0].network, SPEC_NETWORK_HOST);
        ck_assert_ptr_null(p[0].network_unit);
        ck_assert_int_eq(p[1].network, SPEC_NETWORK_FILE);
        p = scratch_spec("x", "[Container]\nImage=x\nNetwork=back.network\nNetwork=\n")->processes;
        ck_assert_int_eq(p->network, SPEC_NETWORK_UNSET);
        ck_assert(!p->network_file && !p->network_spec);
}
END_TEST

START_TEST(an_app_names_another) {
        const SpecProcess *p = scratch_spec("x", "[Container]\nImage=x\nNetwork=container:db\n")->processes;

        ck_assert_int_eq(p->network, SPEC_NETWORK_CONTAINER);
        ck_assert_str_eq(p->network_app, "db");
        ck_assert_str_eq(p->network_unit, "db.service");
        scratch_write("named.container", "[Container]\nImage=x\nServiceName=other\n");
        p = scratch_spec("x", "[Container]\nImage=x\nNetwork=named.container\n")->processes;
        ck_assert_str_eq(p->network_app, "named");
        ck_assert_str_eq(p->network_unit, "other.service");
        p = scratch_spec("x", "[Container]\nImage=x\nNetwork=container:db\n[Process a]\nNetwork=none\n[Process b]\n")->processes;
        ck_assert(!p[0].network_app && !p[0].network_unit);
        ck_assert_str_eq(p[1].network_app, "db");
        scratch_wrong("[Container]\nImage=x\nNetwork=container:\n", 3, 9, "'' is not a name of an app");
        scratch_wrong("[Container]\nImage=x\nNetwork=container:a/b\n", 3, 9, "'a/b' is not a name of an app");
        scratch_wrong("[Container]\nImage=x\nNetwork=container:db\nPublishPort=80\n", 4, 13,
                "PublishPort= is for app 'db' to say, whose network this one shares");
        scratch_wrong("[Container]\nImage=x\nNetwork=container:db\nDNS=192.0.2.1\n", 4, 5, "DNS= is for app 'db' to say, whose network this one shares");
        scratch_wrong("[Container]\nImage=x\nNetwork=container:db\nSysctl=net.core.somaxconn=1\n", 4, 8,
                "kernel parameter 'net.core.somaxconn' is for app 'db' to set, whose network this one shares");
}
END_TEST

START_TEST(what_an_app_cannot_have) {
        scratch_wrong("[Container]\nImage=x\nNetwork=host\nNetwork=none\n", 4, 9, "an app is on one network, line 3 says which");
        scratch_wrong("[Container]\nImage=x\nNetwork=lan\n", 3, 9, "'lan' is not a network; there are private, none, host, NAME.network and container:NAME");
        scratch_wrong("[Container]\nImage=x\nNetwork=bridge:ip=10.0.0.1\n", 3, 9,
                "options of a network are not supported; the address is IP= or IP6=, a name NetworkAlias=");
        scratch_wrong("[Container]\nImage=x\nNetwork=pasta\n", 3, 9, 
                "network 'pasta' is known from Quadlet, not supported; there are private, none, host, NAME.network and container:NAME");
        scratch_wrong("[Container]\nImage=x\nNetwork=none\nIP=10.0.0.1\n", 4, 4, "IP= means nothing with Network=none");
        scratch_wrong("[Container]\nImage=x\nIP=fd00::1\n", 3, 4, "'fd00::1' is not an IPv4 address");
        scratch_wrong("[Container]\nImage=x\nIP6=10.0.0.1\n", 3, 5, "'10.0.0.1' is not an IPv6 address");
        scratch_wrong("[Container]\nImage=x\nNetworkAlias=a/b\n", 3, 14, "'a/b' is not a name of a host");
        scratch_wrong("[Container]\nImage=x\nExposeHostPort=0\n", 3, 16, "'0' is not a port or range of ports: 80, 8000-8010, 53/udp");
}
END_TEST

START_TEST(what_scopes_filter) {
        const Spec *s = scratch_spec("x", "[Container]\nImage=x\n[Service]\nIPAddressDeny=any\nIPAddressAllow=localhost 10.0.0.9 fd00::1/8\n"
                                          "SocketBindAllow=ipv4:tcp:80-89 udp:53 443\nSocketBindDeny=any ipv6\nSocketBindDeny=\nSocketBindDeny=tcp\n");

        ck_assert_uint_eq(s->ip_deny.n, 2);
        ck_assert_uint_eq(s->ip_allow.n, 4);
        ck_assert_str_eq(subnet_text(&s->ip_allow.items[2].subnet).text, "10.0.0.9/32");
        ck_assert_str_eq(subnet_text(&s->ip_allow.items[3].subnet).text, "fd00::/8");
        ck_assert_uint_eq(s->bind_allow.n, 3);
        ck_assert_uint_eq(s->bind_allow.items[0].first, 80);
        ck_assert_uint_eq(s->bind_allow.items[0].count, 10);
        ck_assert_uint_eq(s->bind_deny.n, 1);
        ck_assert_int_eq(s->bind_deny.items[0].protocol, 6);
        ck_assert_uint_eq(s->bind_deny.items[0].count, 0);
        scratch_wrong("[Container]\nImage=x\n[Service]\nIPAddressDeny=all\n", 4, 15,
                "'all' is not an address, ADDRESS/PREFIX, any, localhost, link-local or multicast");
        scratch_wrong("[Container]\nImage=x\n[Service]\nSocketBindDeny=sctp:1\n", 4, 16,
                "'sctp:1' is not [ipv4:|ipv6:][tcp:|udp:] and a port, FIRST-LAST or any");
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, what_scopes_filter);
        tcase_add_test(t, what_a_file_says_is_typed);
        tcase_add_test(t, values_that_are_none);
        tcase_add_test(t, an_app_names_a_file);
        tcase_add_test(t, an_app_names_another);
        tcase_add_test(t, what_an_app_cannot_have);
}

int main(void) {
        return scratch_run("network", add);
}
