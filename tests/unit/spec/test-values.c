/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "scratch.h"
#include "util/strv.h"

static const char *join(char *const *words) {
        static char text[1024];

        *text = 0;
        for (; words && *words; words++)
                strcat(strcat(strcat(text, "<"), *words), ">");
        return text;
}

START_TEST(commands_are_split_and_kept_for_their_variables) {
        const SpecProcess *p = scratch_process("Exec=\"a b\" $X ${Y} %% \\; $$\nEntrypoint=/bin/sh -c");

        ck_assert(p->exec.set);
        ck_assert_str_eq(join(p->exec.words), "<a b><$X><${Y}><%><;><$$>");
        ck_assert_uint_eq(p->exec.origin.line, 3);
        ck_assert_uint_eq(p->exec.origin.column, 6);
        ck_assert_str_eq(join(p->entrypoint.words), "</bin/sh><-c>");
        ck_assert_str_eq(join(scratch_process("Exec=--port @file -x")->exec.words), "<--port><@file><-x>");
        ck_assert_str_eq(join(scratch_process("Exec=sh -c 'echo ${A:-b} $${C:-d}' ${A")->exec.words), "<sh><-c><echo ${A:-b} $${C:-d}><${A>");
        ck_assert(!scratch_process("Exec=a\nExec=")->exec.set);
}
END_TEST

START_TEST(entry_points_may_be_json) {
        const SpecProcess *p = scratch_process("Entrypoint=[\"/bin/sh\", \"-c\" , \"a \\\"b\\\" \\u00e9\\ud83d\\ude00\"]");

        ck_assert_str_eq(join(p->entrypoint.words), "</bin/sh><-c><a \"b\" \xc3\xa9\xf0\x9f\x98\x80>");
        p = scratch_process("Entrypoint=[]");
        ck_assert(p->entrypoint.set);
        ck_assert_ptr_null(p->entrypoint.words);
        scratch_process_wrong("Entrypoint=[\"a\"", 16, "not a JSON list of strings");
        scratch_process_wrong("Entrypoint=[\"a\",]", 17, "a string is missing after ','");
        scratch_process_wrong("Entrypoint=[\"\\ud800\"]", 13, "not a JSON string");
}
END_TEST

START_TEST(commands_that_mean_something_else_are_refused) {
        scratch_process_wrong("Exec=a ; b", 8, "Exec= is one command; a semicolon of its own is written as '\\;'");
        scratch_process_wrong("Exec=-/bin/true", 6, "prefix '-' is for commands of systemd, not for Exec=");
        scratch_process_wrong("Exec=a $(date)", 8, "'$(date)' is not a variable; a dollar is written as '$$'");
        scratch_process_wrong("Exec=${A.b}", 6, "'${A.b}' is not a variable; a dollar is written as '$$'");
        scratch_process_wrong("Exec=a \"b", 8, "a quote that is not closed");
        scratch_process_wrong("Exec=a 100%", 8, "a percent sign at the end is written as '%%'");
}
END_TEST

START_TEST(environments_keep_their_order) {
        const SpecProcess *p = scratch_process("Environment=A=1 \"B=two words\" C=%N\nEnvironment='discovery.type=single' E=a=b\n"
                                               "EnvironmentFile=/etc/a -/etc/b\nEnvironmentHost=yes");

        ck_assert_uint_eq(p->environment.n, 5);
        ck_assert_str_eq(p->environment.items[1].name, "B");
        ck_assert_str_eq(p->environment.items[1].value, "two words");
        ck_assert_uint_eq(p->environment.items[1].origin.column, 17);
        ck_assert_str_eq(p->environment.items[2].value, "x");
        ck_assert_str_eq(p->environment.items[3].name, "discovery.type");
        ck_assert_str_eq(p->environment.items[4].value, "a=b");
        ck_assert_uint_eq(p->environment_files.n, 2);
        ck_assert(p->environment_files.items[1].optional);
        ck_assert_str_eq(p->environment_files.items[1].path, "/etc/b");
        ck_assert(p->environment_host.value);
        ck_assert_uint_eq(scratch_process("Environment=A=1\nEnvironment=\nEnvironment=B=2")->environment.n, 1);
}
END_TEST

START_TEST(users_and_groups) {
        const SpecProcess *p = scratch_process("User=www-data:33\nGroupAdd=adm 1000\nGroupAdd=video");

        ck_assert_str_eq(p->user.value, "www-data");
        ck_assert_str_eq(p->group.value, "33");
        ck_assert_uint_eq(p->groups.n, 3);
        scratch_process_wrong("User=a b", 6, "'a b' is not a name or number of a user");
        scratch_process_wrong("User=4294967295", 6, "'4294967295' is not a name or number of a user");
        scratch_process_wrong("Group=users", 7, "Group= needs User=");
}
END_TEST

START_TEST(capabilities_are_sets) {
        const SpecProcess *p = scratch_process("AddCapability=CAP_NET_ADMIN sys_ptrace\nDropCapability=CHOWN");
        uint64_t defaults = 1 << 0 | 1 << 1;

        ck_assert_uint_eq(p->add_capabilities, 1 << 12 | 1 << 19);
        ck_assert_uint_eq(spec_capabilities(p, defaults, 40), 1 << 1 | 1 << 12 | 1 << 19);
        p = scratch_process("AddCapability=CAP_CHOWN\nDropCapability=all");
        ck_assert_uint_eq(spec_capabilities(p, defaults, 40), 1);
        p = scratch_process("AddCapability=all\nDropCapability=CAP_CHOWN");
        ck_assert_uint_eq(spec_capabilities(p, defaults, 40), ((UINT64_C(1) << 41) - 1) & ~UINT64_C(1));
}
END_TEST

START_TEST(limits_have_their_units) {
        const SpecProcess *p = scratch_process("Memory=512m\nMemorySwap=1g\nCPUs=1.5\nCPUWeight=idle\nIOWeight=50\nPidsLimit=-1\n"
                                               "ShmSize=0\nStopTimeout=1min\nStopSignal=QUIT");

        ck_assert_uint_eq(p->memory.value, 512ull << 20);
        ck_assert_uint_eq(p->swap.value, 512ull << 20);
        ck_assert_uint_eq(p->cpu_quota.value, 1500000);
        ck_assert(p->cpu_weight.set);
        ck_assert_uint_eq(p->cpu_weight.value, 0);
        ck_assert_uint_eq(p->io_weight.value, 50);
        ck_assert_uint_eq(p->pids.value, SPEC_INFINITY);
        ck_assert_uint_eq(p->shm_size.value, SPEC_INFINITY);
        ck_assert_uint_eq(spec_stop_timeout(p), 60000000);
        ck_assert_uint_eq(p->stop_signal.value, SIGQUIT);
        ck_assert_uint_eq(scratch_process("Memory=0")->memory.value, SPEC_INFINITY);
        scratch_process_wrong("MemorySwap=1g", 12, "MemorySwap= needs Memory=");
        scratch_process_wrong("MemorySwap=1g\nMemory=2g", 12, "MemorySwap= counts memory and swap together, it cannot be less than Memory=");
        scratch_process_wrong("CPUWeight=0", 11, "'0' is not a number from 1 to 10000");
}
END_TEST

START_TEST(published_ports_have_podmans_forms) {
        const SpecProcess *p = scratch_process("PublishPort=80 8080:80/udp\nPublishPort=127.0.0.1:8081:81\nPublishPort=[::1]::82\n"
                                               "PublishPort=9000-9002:90-92/tcp");
        static const struct {
                int family;
                uint16_t host, container;
                SpecProtocol protocol;
        } wanted[] = {
                { 0, 0, 80, SPEC_PROTOCOL_TCP },           { 0, 8080, 80, SPEC_PROTOCOL_UDP }, { AF_INET, 8081, 81, SPEC_PROTOCOL_TCP },
                { AF_INET6, 0, 82, SPEC_PROTOCOL_TCP },    { 0, 9000, 90, SPEC_PROTOCOL_TCP }, { 0, 9001, 91, SPEC_PROTOCOL_TCP },
                { 0, 9002, 92, SPEC_PROTOCOL_TCP },
        };

        ck_assert_uint_eq(p->ports.n, ELEMENTSOF(wanted));
        for (size_t i = 0; i < p->ports.n; i++) {
                ck_assert_int_eq(p->ports.items[i].family, wanted[i].family);
                ck_assert_uint_eq(p->ports.items[i].host, wanted[i].host);
                ck_assert_uint_eq(p->ports.items[i].container, wanted[i].container);
                ck_assert_int_eq(p->ports.items[i].protocol, wanted[i].protocol);
        }
        ck_assert_mem_eq(p->ports.items[2].address, ((uint8_t[]){ 127, 0, 0, 1 }), 4);
        ck_assert_uint_eq(p->ports.items[3].address[15], 1);
        ck_assert_uint_eq(scratch_process("PublishPort=80\nPublishPort=")->ports.n, 0);
        scratch_process_wrong("PublishPort=0:80", 13, "'0' is not a port or range of ports: 1 to 65535, FIRST-LAST");
        scratch_process_wrong("PublishPort=80-70", 13, "range 80-70 ends before it begins");
        scratch_process_wrong("PublishPort=8000-8001:80", 13, "'8000-8001:80' has 2 ports of the host for 1 of the container");
        scratch_process_wrong("PublishPort=localhost:80:80", 13, "'localhost' is not an IPv4 address, nor an IPv6 address in brackets");
        scratch_process_wrong("PublishPort=[::g]:80:80", 13, "'::g' is not an IPv6 address");
        scratch_process_wrong("PublishPort=80/sctp", 13, "protocol 'sctp' is known from Quadlet, not supported yet; there are tcp and udp");
        scratch_process_wrong("PublishPort=80/icmp", 13, "'icmp' is not a protocol; there are tcp and udp");
        scratch_process_wrong("PublishPort=8080:80 127.0.0.1:8080:81", 21, "port 8080 of the host is published twice");
        scratch_process_wrong("PublishBy=proxy", 11, "'proxy' is not a way to publish ports; there are auto, takeover and nat");
        scratch_process_wrong("PublishBy=nat\nNetwork=host\nPublishPort=80", 1,
                "PublishBy=nat needs a network with addresses, Network=host has none of its own");
        ck_assert_int_eq(scratch_process("PublishBy=nat")->publish_by, SPEC_PUBLISH_BY_NAT);
        ck_assert_int_eq(scratch_process("PublishBy=nat\nPublishBy=")->publish_by, SPEC_PUBLISH_BY_UNSET);
}
END_TEST

/* One of them is the one that the payload's socket is of. */
START_TEST(a_port_of_the_container_may_be_several_of_the_host) {
        static const struct {
                const char *line;
                size_t main;
        } cases[] = {
                { "80:80 81:80 80:80/udp",                    0 },
                { "127.0.0.1:80:80 192.0.2.1:80:80 81:81",    1 },
                { "192.0.2.1:80:80 0.0.0.0:81:80 82:80",      2 },
                { "[::1]:80:80 127.0.0.1:80:80 [::]:81:80",   2 },
                { "127.0.0.2:80:80 127.0.0.1:80:80 80:81/udp", 0 },
        };
        const SpecProcess *p;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = str_format("PublishPort=%s", cases[i].line);

                p = scratch_process(text);
                ck_assert_msg(spec_port_main(p->ports.items, p->ports.n, 0) == cases[i].main, "%s", cases[i].line);
                ck_assert_msg(spec_port_main(p->ports.items, p->ports.n, 1) == cases[i].main, "%s", cases[i].line);
        }
        p = scratch_process("PublishPort=80:80 192.0.2.1:81:80 [::]:82:80 [::1]:83:80 127.0.0.1:84:80");
        for (size_t i = 0; i < p->ports.n; i++) {
                ck_assert(spec_port_is_within(&p->ports.items[i], &p->ports.items[0]));
                ck_assert(spec_port_is_within(&p->ports.items[i], &p->ports.items[i]));
        }
        ck_assert(spec_port_is_within(&p->ports.items[3], &p->ports.items[2]));
        ck_assert(!spec_port_is_within(&p->ports.items[4], &p->ports.items[2]));
        ck_assert(!spec_port_is_within(&p->ports.items[4], &p->ports.items[1]));
        ck_assert(!spec_port_is_within(&p->ports.items[0], &p->ports.items[1]));
        scratch_process_wrong("PublishPort=80 81:81 80", 22, "port 80 of the container is published twice by any port of the host that is free");
        ck_assert_uint_eq(scratch_process("PublishPort=80 127.0.0.1::80")->ports.n, 2);
        scratch_process_wrong("PublishPort=127.0.0.1:53:53/udp 192.0.2.1:53:53/udp", 13,
                "port 53/udp of the container is published by addresses of which none includes the others: this can be had for tcp alone");
}
END_TEST

START_TEST(ulimits_have_soft_and_hard) {
        const SpecProcess *p = scratch_process("Ulimit=nofile=10:20 nproc=5\nUlimit=core=-1\nUlimit=host");

        ck_assert_uint_eq(p->ulimits.n, 4);
        ck_assert_int_eq(p->ulimits.items[0].resource, RLIMIT_NOFILE);
        ck_assert_uint_eq(p->ulimits.items[0].hard, 20);
        ck_assert_uint_eq(p->ulimits.items[1].hard, 5);
        ck_assert_uint_eq(p->ulimits.items[2].soft, SPEC_INFINITY);
        ck_assert(p->ulimits.items[3].host);
        scratch_process_wrong("Ulimit=nofile=20:10", 8, "the soft limit of 'nofile' is above the hard one");
}
END_TEST

START_TEST(volumes_are_bound_named_or_anonymous) {
        const SpecProcess *p = scratch_process("Volume=/srv//a/:/a/./b/:ro,z,rslave\nVolume=data:/data:U,nocopy,subpath=x/y\n"
                                               "Volume=/anon\nVolume=./rel:/rel:bind,nosuid,nodev,noexec");
        const SpecMount *m = p->mounts.items;

        ck_assert_uint_eq(p->mounts.n, 4);
        ck_assert_int_eq(m[0].type, SPEC_MOUNT_BIND);
        ck_assert_str_eq(m[0].source, "/srv/a");
        ck_assert_str_eq(m[0].source_raw, "/srv//a/");
        ck_assert_str_eq(m[0].target, "/a/b");
        ck_assert(m[0].read_only && m[0].recursive && m[0].recursive_propagation && !m[0].nosuid && !m[0].nodev);
        ck_assert_int_eq(m[0].propagation, SPEC_PROPAGATION_SLAVE);
        ck_assert_int_eq(m[1].type, SPEC_MOUNT_VOLUME);
        ck_assert_str_eq(m[1].source, "data");
        ck_assert_str_eq(m[1].subpath, "x/y");
        ck_assert(m[1].own && !m[1].copy && !m[1].read_only && m[1].nosuid && m[1].nodev);
        ck_assert_ptr_null(m[2].source);
        ck_assert(m[2].copy);
        ck_assert(str_ends_with(m[3].source, "/rel"));
        ck_assert(m[3].nosuid && m[3].nodev && m[3].noexec && !m[3].recursive);
}
END_TEST

START_TEST(mounts_are_fields) {
        const SpecProcess *p = scratch_process("Mount=type=bind,src=/a,dst=/b,ro=true,bind-propagation=shared\n"
                                               "Mount=type=tmpfs,destination=/t,tmpfs-size=10m,tmpfs-mode=0700,notmpcopyup\n"
                                               "Mount=type=image,source=localhost/i,target=/i\nMount=source=v,dest=/v,readonly\n"
                                               "Tmpfs=/r:size=1m,exec");
        const SpecMount *m = p->mounts.items;

        ck_assert_uint_eq(p->mounts.n, 5);
        ck_assert(m[0].read_only);
        ck_assert_int_eq(m[0].propagation, SPEC_PROPAGATION_SHARED);
        ck_assert_int_eq(m[1].type, SPEC_MOUNT_TMPFS);
        ck_assert_str_eq(m[1].data, "size=10m,mode=0700");
        ck_assert(!m[1].tmpcopyup && m[1].noexec);
        ck_assert_int_eq(m[2].type, SPEC_MOUNT_IMAGE);
        ck_assert(m[2].read_only);
        ck_assert_int_eq(m[3].type, SPEC_MOUNT_VOLUME);
        ck_assert(m[3].read_only && m[3].copy);
        ck_assert(!m[4].noexec && m[4].nosuid && m[4].tmpcopyup);
        ck_assert_str_eq(m[4].data, "size=1m");
}
END_TEST

START_TEST(each_kind_of_mount_is_taken_back_by_its_own_key) {
        const SpecProcess *p = scratch_process("Volume=a:/a\nTmpfs=/t\nMount=type=tmpfs,dst=/m\nVolume=b:/b\nVolume=\nVolume=c:/c\nTmpfs=");

        ck_assert_uint_eq(p->mounts.n, 2);
        ck_assert_str_eq(p->mounts.items[0].target, "/m");
        ck_assert_str_eq(p->mounts.items[1].target, "/c");
}
END_TEST

START_TEST(wrong_mounts_are_refused) {
        scratch_process_wrong("Volume=a/b:/x", 8, "'a/b' is neither a path, which begins with '/' or '.', nor a name of a volume");
        scratch_process_wrong("Volume=data.volume:/x", 8, "'data.volume' names a Quadlet unit: known from Quadlet, not supported yet");
        scratch_process_wrong("Volume=/a:/b:rx", 14, "unknown mount option 'rx'");
        scratch_process_wrong("Volume=/a:/b:ro,nocopy", 17, "mount option 'nocopy' is not for bind mounts");
        scratch_process_wrong("Volume=/a:/../b", 11, "'/../b' is not an absolute path without '..' in the container");
        scratch_process_wrong("Volume=/a/../b:/b", 8, "path '/a/../b' leads upwards by '..'");
        scratch_process_wrong("Volume=/a:/", 11, "a mount cannot be on '/'");
        scratch_process_wrong("Volume=v:/b:subpath=../x", 13, "'../x' is not a path below the source");
        scratch_process_wrong("Volume=/a:/b:O", 14, "mount option 'O' is known from Podman, not supported yet");
        scratch_process_wrong("Tmpfs=/t:size=1x", 10, "'1x' is not a value of tmpfs option size");
        scratch_process_wrong("Tmpfs=/t:size=1m,uid=0,evil", 24, "unknown mount option 'evil'");
        scratch_process_wrong("Mount=type=bind,dst=/x", 7, "source=… is missing");
        scratch_process_wrong("Mount=type=bind,src=/x", 7, "destination=PATH is missing");
        scratch_process_wrong("Mount=type=glob,src=/x,dst=/y", 7, "mount type 'glob' is not supported; there are bind, volume, tmpfs and image");
}
END_TEST

START_TEST(devices_hosts_and_secrets) {
        const SpecProcess *p = scratch_process("AddDevice=/dev/fuse -/dev/kvm:/dev/vm:r\nAddHost=a;b:10.0.0.1 c:[::1]\nDNS=1.1.1.1 [fd00::1]\n"
                                               "Secret=s1 s2,type=env,target=S2\nSecret=s3,target=/etc/s3,mode=0400,uid=5");

        ck_assert_uint_eq(p->devices.n, 2);
        ck_assert(p->devices.items[0].mknod && !p->devices.items[0].optional);
        ck_assert_str_eq(p->devices.items[0].target, "/dev/fuse");
        ck_assert(p->devices.items[1].optional && p->devices.items[1].read && !p->devices.items[1].write);
        ck_assert_str_eq(p->devices.items[1].target, "/dev/vm");
        ck_assert_uint_eq(p->hosts.n, 2);
        ck_assert_str_eq(p->hosts.items[0].names[1], "b");
        ck_assert_str_eq(p->hosts.items[1].address, "::1");
        ck_assert_str_eq(p->dns.items[1].value, "fd00::1");
        ck_assert_uint_eq(p->secrets.n, 3);
        ck_assert_str_eq(p->secrets.items[0].target, "/run/secrets/s1");
        ck_assert_uint_eq(p->secrets.items[0].mode, 0444);
        ck_assert(p->secrets.items[1].env);
        ck_assert_uint_eq(p->secrets.items[2].uid, 5);
        scratch_process_wrong("AddHost=a", 9, "'a' is not NAME:ADDRESS");
        scratch_process_wrong("AddHost=a:gateway", 9, "'gateway' is neither an IPv4 or IPv6 address nor host-gateway");
        ck_assert_ptr_null(scratch_process("AddHost=a:host-gateway")->hosts.items[0].address);
        scratch_wrong("[Container]\nImage=x\nAddHost=a:host-gateway\nNetwork=none\n", 3, 9, "host-gateway means nothing with Network=none");
        ck_assert_uint_eq(scratch_process("UserNS=auto:size=4096")->userns_size, 4096);
        ck_assert_uint_eq(scratch_process("UserNS=auto:size=4096\nUserNS=auto")->userns_size, 0);
        scratch_process_wrong("UserNS=auto:size=65537", 8, "'65537' is not a number from 1 to 65536");
        scratch_process_wrong("UserNS=auto:uidmapping=0:1:2", 8,
                "'uidmapping=0:1:2' of UserNS=auto is known from Quadlet, not supported yet; there is size=");
        scratch_process_wrong("AddDevice=fuse", 11, "'fuse' is not an absolute path of a device");
        scratch_process_wrong("Secret=a-b,type=env", 8, "'a-b' is not a name of a variable; say target=NAME");
}
END_TEST

START_TEST(id_maps_do_not_overlap) {
        const SpecProcess *p = scratch_process("UIDMap=0:100000:1000 1000:5000\nGIDMap=0:100000:65536");

        ck_assert_uint_eq(p->uid_map.n, 2);
        ck_assert_uint_eq(p->uid_map.items[1].count, 1);
        scratch_process_wrong("UIDMap=0:1:10 5:100:1", 15, "id map '5:100:1' overlaps with 0:1:10");
        scratch_process_wrong("UIDMap=0:1:0", 8, "id map '0:1:0' is empty or goes past the last id");
        scratch_process_wrong("UIDMap=0:4294967295", 8, "id map '0:4294967295' is empty or goes past the last id");
        scratch_process_wrong("UIDMap=0:@1:1", 8, "id map '0:@1:1' has flags: known from Quadlet, not supported yet");
}
END_TEST

START_TEST(kernel_parameters_are_the_containers_own) {
        ck_assert_uint_eq(scratch_process("Sysctl=net.core.somaxconn=1024 kernel.shmmax=1\nSysctl=fs.mqueue.msg_max=5")->sysctls.n, 3);
        scratch_process_wrong("Sysctl=vm.swappiness=1", 8, "kernel parameter 'vm.swappiness' is not the container's own, it would change the host");
        scratch_process_wrong("Sysctl=kernel.hostname=x", 8, "use HostName= for kernel.hostname");
}
END_TEST

START_TEST(names_and_paths_are_checked) {
        const SpecProcess *p = scratch_process("HostName=a.b-c\nWorkingDir=/a//b/\nMask=/proc/a:/proc/b\nUnmask=all:/proc/*\nTimezone=Europe/Paris\n"
                                               "SeccompProfile=unconfined\nNetwork=host\nUserNS=host\nNotify=yes\nReadOnly=on");

        ck_assert_str_eq(p->working_dir.value, "/a/b");
        ck_assert_uint_eq(p->mask.n, 2);
        ck_assert_str_eq(p->unmask.items[0].value, "ALL");
        ck_assert_str_eq(p->unmask.items[1].value, "/proc/*");
        ck_assert_int_eq(p->network, SPEC_NETWORK_HOST);
        ck_assert_int_eq(p->userns, SPEC_USERNS_HOST);
        ck_assert_int_eq(p->notify, SPEC_NOTIFY_YES);
        ck_assert(p->read_only.value && spec_read_only_tmpfs(p));
        scratch_process_wrong("HostName=-a", 10, "'-a' is not a host name");
        scratch_process_wrong("HostName=a..b", 10, "'a..b' is not a host name");
        scratch_process_wrong("WorkingDir=a", 12, "'a' is not an absolute path without '..'");
        scratch_process_wrong("Timezone=../../etc/passwd", 10, "'../../etc/passwd' is not a time zone such as Europe/Paris, or local");
        scratch_process_wrong("ReadOnly=maybe", 10, "'maybe' is not a boolean: yes or no");
}
END_TEST

START_TEST(lists_have_a_greatest_length) {
        static char text[SPEC_LIST_MAX * 6 + 64] = "Mask=";

        for (size_t i = 0; i <= SPEC_LIST_MAX; i++)
                strcat(text, "/a:");
        {
                _cleanup_free_ char *spec = NULL;

                ck_assert_int_gt(asprintf(&spec, "[Container]\nImage=x\n%s\n", text), 0);
                scratch_wrong(spec, 3, 6 + 3 * SPEC_LIST_MAX, "more than 1024 items");
        }
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, commands_are_split_and_kept_for_their_variables);
        tcase_add_test(t, entry_points_may_be_json);
        tcase_add_test(t, commands_that_mean_something_else_are_refused);
        tcase_add_test(t, environments_keep_their_order);
        tcase_add_test(t, users_and_groups);
        tcase_add_test(t, capabilities_are_sets);
        tcase_add_test(t, limits_have_their_units);
        tcase_add_test(t, published_ports_have_podmans_forms);
        tcase_add_test(t, a_port_of_the_container_may_be_several_of_the_host);
        tcase_add_test(t, ulimits_have_soft_and_hard);
        tcase_add_test(t, volumes_are_bound_named_or_anonymous);
        tcase_add_test(t, mounts_are_fields);
        tcase_add_test(t, each_kind_of_mount_is_taken_back_by_its_own_key);
        tcase_add_test(t, wrong_mounts_are_refused);
        tcase_add_test(t, devices_hosts_and_secrets);
        tcase_add_test(t, id_maps_do_not_overlap);
        tcase_add_test(t, kernel_parameters_are_the_containers_own);
        tcase_add_test(t, names_and_paths_are_checked);
        tcase_add_test(t, lists_have_a_greatest_length);
}

int main(void) {
        return scratch_run("values", add);
}
