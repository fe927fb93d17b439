/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/names.h"
#include "spec/parse.h"
#include "spec/table.h"
#include "util/nearest.h"
#include "util/strv.h"

/* name, state, kind, how it is kept, where in SpecProcess, parser, help */
#define CONTAINER(n, s, k, st, f, p, h) { n, SECTION_CONTAINER, KEY_##s, k, STORE_##st, false, offsetof(SpecProcess, f), parse_##p, h }
#define QUADLET_IMAGE(n, k, h) { n, SECTION_IMAGE, KEY_QUADLET, k, STORE_NONE, false, 0, NULL, h }
#define QUADLET_NETWORK(n, k, h) { n, SECTION_NETWORK, KEY_QUADLET, k, STORE_NONE, false, 0, NULL, h }
#define QUADLET(n, k, h) { n, SECTION_CONTAINER, KEY_QUADLET, k, STORE_NONE, false, 0, NULL, h }
/* The same for what the app has as a whole; the place is in Spec (of no matter where the parser does not use it). */
#define READ(n, se, s, k, st, f, p, h) { n, SECTION_##se, KEY_##s, k, STORE_##st, false, offsetof(Spec, f), parse_##p, h }
#define APP(n, s, k, st, f, p, h) { n, SECTION_CONTAINER, KEY_##s, k, STORE_##st, true, offsetof(Spec, f), parse_##p, h }
#define PASSED(n, se, k, h) { n, SECTION_##se, KEY_PASSED, k, STORE_NONE, false, 0, NULL, h }
#define REFUSED(n, se, h) { n, SECTION_##se, KEY_REFUSED, "", STORE_NONE, false, 0, NULL, h }

/* clang-format off */
const SpecKey spec_keys[] = {
        APP("Activation",                   OWN,       "way",          ENUM,      activation,        activation,   "socket: the first connection to a published port starts the app"),
        CONTAINER("AddCapability",          SUPPORTED, "capabilities", MASK,      add_capabilities,  capabilities, "more capabilities than the default set, or all"),
        CONTAINER("AddDevice",              SUPPORTED, "devices",      DEVICES,   devices,           devices,      "a device of the host: HOST[:CONTAINER][:rwm], \"-\" before it where it may be missing"),
        CONTAINER("AddHost",                SUPPORTED, "hosts",        HOSTS,     hosts,             hosts,        "a line of /etc/hosts: NAME[;NAME]:ADDRESS"),
        CONTAINER("Annotation",             SUPPORTED, "pairs",        PAIRS,     annotations,       pairs,        "OCI annotations, NAME=VALUE"),
        QUADLET("AppArmor",                 "text",    "the AppArmor profile"),
        CONTAINER("AutoUpdate",             SUPPORTED, "source",       ENUM,      auto_update,       auto_update,  "where berth auto-update looks for a newer image: registry or local"),
        QUADLET("CgroupsMode",              "text",    "Podman's way of making cgroups"),
        CONTAINER("ContainerName",          SUPPORTED, "name",         TEXT,      container_name,    name,         "the name that the journal gives the container"),
        QUADLET("ContainersConfModule",     "path",    "a module of containers.conf(5)"),
        CONTAINER("CPUs",                   OWN,       "number",       NUMBER,    cpu_quota,         cpus,         "how many processors at most: 1.5"),
        CONTAINER("CPUWeight",              OWN,       "number",       NUMBER,    cpu_weight,        cpu_weight,   "share of the processors against others: 1 to 10000, 100 is usual; idle"),
        CONTAINER("DNS",                    SUPPORTED, "addresses",    TEXTS,     dns,               addresses,    "name servers, in place of those of the host"),
        CONTAINER("DNSOption",              SUPPORTED, "words",        TEXTS,     dns_option,        words,        "options of resolv.conf(5)"),
        CONTAINER("DNSSearch",              SUPPORTED, "domains",      TEXTS,     dns_search,        domains,      "search domains, \".\" for none"),
        CONTAINER("DropCapability",         SUPPORTED, "capabilities", MASK,      drop_capabilities, capabilities, "fewer capabilities than the default set, or all"),
        CONTAINER("Entrypoint",             SUPPORTED, "command",      COMMAND,   entrypoint,        entrypoint,   "takes the place of the image's entry point; a command line or a JSON list"),
        CONTAINER("Environment",            SUPPORTED, "pairs",        PAIRS,     environment,       pairs,        "variables, NAME=VALUE"),
        CONTAINER("EnvironmentFile",        SUPPORTED, "paths",        ENV_FILES, environment_files, env_files,    "files of NAME=VALUE lines, \"-\" before it where it may be missing"),
        CONTAINER("EnvironmentHost",        SUPPORTED, "boolean",      BOOL,      environment_host,  bool,         "passes on the supervisor's own environment"),
        CONTAINER("Exec",                   SUPPORTED, "command",      COMMAND,   exec,              command,      "the command, or the arguments of the entry point"),
        CONTAINER("ExposeHostPort",         SUPPORTED, "ports",        TEXTS,     expose,            expose,       "ports that the payload listens on: a note for people, as EXPOSE of an image"),
        CONTAINER("GIDMap",                 SUPPORTED, "id maps",      ID_MAPS,   gid_map,           id_maps,      "group ids: INSIDE:OUTSIDE[:COUNT]"),
        QUADLET("GlobalArgs",               "words",   "options of podman itself"),
        CONTAINER("Group",                  SUPPORTED, "group",        TEXT,      group,             group,        "the payload's group"),
        CONTAINER("GroupAdd",               SUPPORTED, "groups",       TEXTS,     groups,            groups,       "more groups of the payload"),
        CONTAINER("HealthCmd",              SUPPORTED, "command",      COMMAND,   health.cmd,        health_cmd,   "checks inside that all is well: a shell command, a JSON list, or none"),
        CONTAINER("HealthHttp",             OWN,       "address",      TEXT,      health_http,       health_http,  "asks this of the container in place of a command: [PORT]/PATH"),
        CONTAINER("HealthInterval",         SUPPORTED, "time",         NUMBER,    health.interval,   health_interval, "between two checks (default 30 s), or disable"),
        CONTAINER("HealthLogDestination",   SUPPORTED, "path",         TEXT,      health_log,        health_log,   "where the log of the checks is: local (default), events_logger, or a directory of the host"),
        CONTAINER("HealthMaxLogCount",      SUPPORTED, "number",       NUMBER,    health_log_count,  count,        "how many checks that log keeps (default 5); 0 for all"),
        CONTAINER("HealthMaxLogSize",       SUPPORTED, "number",       NUMBER,    health_log_size,   count,        "how many bytes of the output of each (default 500); 0 for all"),
        CONTAINER("HealthOnFailure",        SUPPORTED, "action",       ENUM,      health_on_failure, health_action, "what is done with an instance that is unhealthy: none (default), kill, restart, stop"),
        CONTAINER("HealthRetries",          SUPPORTED, "number",       NUMBER,    health.retries,    health_retries, "how many failures in a row make it unhealthy (default 3)"),
        CONTAINER("HealthStartPeriod",      SUPPORTED, "time",         NUMBER,    health.start_period, seconds,      "how long after its start failures do not count (default 0)"),
        CONTAINER("HealthStartupCmd",       SUPPORTED, "command",      COMMAND,   health_startup.cmd, health_cmd,   "checks that it has started; HealthCmd= begins when that succeeds"),
        CONTAINER("HealthStartupInterval",  SUPPORTED, "time",         NUMBER,    health_startup.interval, health_interval, "between two of those (default 30 s), or disable"),
        CONTAINER("HealthStartupRetries",   SUPPORTED, "number",       NUMBER,    health_startup.retries, count,        "how many failures start it again; 0 (default): none"),
        CONTAINER("HealthStartupSuccess",   SUPPORTED, "number",       NUMBER,    health_startup.success, count,        "how many successes end the start (default 1)"),
        CONTAINER("HealthStartupTimeout",   SUPPORTED, "time",         NUMBER,    health_startup.timeout, health_timeout, "how long one of those may take (default 30 s)"),
        CONTAINER("HealthTimeout",          SUPPORTED, "time",         NUMBER,    health.timeout,    health_timeout, "how long a check may take (default 30 s)"),
        CONTAINER("HostName",               SUPPORTED, "name",         TEXT,      hostname,          hostname,     "host name inside"),
        QUADLET("HttpProxy",                "boolean", "passes on the host's proxy settings"),
        APP("IdleTimeout",                  OWN,       "time",         NUMBER,    idle_timeout,      seconds,      "with Activation=socket: stops the app when no connection was open for so long"),
        CONTAINER("Image",                  SUPPORTED, "image",        TEXT,      image,             text_image,   "the image to run"),
        CONTAINER("Instances",              OWN,       "number",       NUMBER,    instances,         instances,    "how many of this process run: 0 to 1000 (default 1), or %cpus"),
        CONTAINER("IOWeight",               OWN,       "number",       NUMBER,    io_weight,         io_weight,    "share of the disks against others: 1 to 10000, 100 is usual"),
        CONTAINER("IP",                     SUPPORTED, "address",      TEXT,      ip,                ip,           "the address on the network, in place of one that follows from the name"),
        CONTAINER("IP6",                    SUPPORTED, "address",      TEXT,      ip6,               ip6,          "the IPv6 address on the network"),
        APP("KeepReleases",                 OWN,       "number",       NUMBER,    keep_releases,     keep_releases, "how many releases can be rolled back to (default 10)"),
        CONTAINER("Label",                  SUPPORTED, "pairs",        PAIRS,     labels,            pairs,        "labels, NAME=VALUE"),
        QUADLET("LogDriver",                "text",    "where logs go"),
        QUADLET("LogOpt",                   "text",    "options of that"),
        APP("Maintenance",                  OWN,       "boolean",      BOOL,      maintenance,       bool,         "HTTP requests are answered with a page that says so, and nothing is stopped"),
        APP("MaintenancePage",              OWN,       "path",         TEXT,      maintenance_page,  path,         "that page, a file of the host"),
        CONTAINER("Mask",                   SUPPORTED, "paths",        TEXTS,     mask,              path_list,    "more paths to hide, separated by colons"),
        CONTAINER("MaxSurge",               OWN,       "share",        SHARE,     max_surge,         max_surge,    "how many instances more there may be during a replace: a number (default 1) or N%"),
        CONTAINER("MaxUnavailable",         OWN,       "share",        SHARE,     max_unavailable,   max_unavailable, "how many instances may be missing during a replace: a number (default 0) or N%"),
        CONTAINER("Memory",                 SUPPORTED, "size",         NUMBER,    memory,            size_limit,   "memory at most"),
        CONTAINER("MemorySwap",             OWN,       "size",         NUMBER,    swap,              swap,         "memory and swap together at most; needs Memory="),
        CONTAINER("Mount",                  SUPPORTED, "mounts",       MOUNTS,    mounts,            mount,        "type=bind|volume|tmpfs|image,OPTION,…"),
        CONTAINER("Network",                SUPPORTED, "network",      ENUM,      network,           network,      "private (default), none, host, NAME.network, or container:NAME"),
        CONTAINER("NetworkAlias",           SUPPORTED, "names",        TEXTS,     network_aliases,   network_aliases, "more names on the network"),
        CONTAINER("NoNewPrivileges",        SUPPORTED, "boolean",      BOOL,      no_new_privileges, bool,         "setuid programs and file capabilities give nothing"),
        CONTAINER("Notify",                 SUPPORTED, "boolean",      ENUM,      notify,            notify,       "the payload says READY=1 itself"),
        CONTAINER("PidsLimit",              SUPPORTED, "number",       NUMBER,    pids,              pids,         "processes and threads at most; -1 for no limit"),
        QUADLET("Pod",                      "unit",    "the pod to join"),
        QUADLET("PodmanArgs",               "words",   "options of podman run"),
        CONTAINER("PublishBy",              OWN,       "way",          ENUM,      publish_by,        publish_by,   "how ports are reached: takeover of bind(2), nat, or auto (default): the first where it can be"),
        CONTAINER("PublishPort",            SUPPORTED, "ports",        PORTS,     ports,             ports,        "ports of the host that lead into the container: [[ADDRESS:][HOST]:]CONTAINER[/udp]"),
        CONTAINER("Pull",                   SUPPORTED, "policy",       ENUM,      pull,              pull,         "when the image is fetched: missing (default), always, newer, never"),
        CONTAINER("ReadOnly",               SUPPORTED, "boolean",      BOOL,      read_only,         bool,         "nothing of the root file system can be written"),
        CONTAINER("ReadOnlyTmpfs",          SUPPORTED, "boolean",      BOOL,      read_only_tmpfs,   bool,         "with ReadOnly=: /run, /tmp and /var/tmp can be written (default yes)"),
        APP("Release",                      OWN,       "number",       NUMBER,    release,           release,      "runs what this release was, whatever else the files say"),
        CONTAINER("ReloadCmd",              SUPPORTED, "command",      COMMAND,   reload_cmd,        command,      "run inside by systemctl reload"),
        CONTAINER("ReloadSignal",           SUPPORTED, "signal",       NUMBER,    reload_signal,     signal,       "sent to the payload by systemctl reload"),
        QUADLET("RemapGid",                 "text",    "use GIDMap="),
        QUADLET("RemapUid",                 "text",    "use UIDMap="),
        QUADLET("RemapUidSize",             "text",    "use UIDMap="),
        QUADLET("RemapUsers",               "text",    "use UserNS="),
        CONTAINER("Retry",                  SUPPORTED, "number",       NUMBER,    retry,             count,        "how often a pull that fails is tried again (default 5)"),
        CONTAINER("RetryDelay",             SUPPORTED, "time",         NUMBER,    retry_delay,       seconds,      "before the first of those, then twice that (default 500 ms)"),
        APP("RollbackWindow",               OWN,       "time",         NUMBER,    rollback_window,   seconds,      "a release that fails within so long after it was ready is taken back (default 0: never)"),
        CONTAINER("Rootfs",                 SUPPORTED, "path",         TEXT,      rootfs,            rootfs,       "a directory in place of an image, PATH[:O][:idmap]"),
        CONTAINER("RunInit",                SUPPORTED, "boolean",      BOOL,      run_init,          bool,         "an init that forwards signals and reaps is process 1"),
        CONTAINER("SeccompProfile",         SUPPORTED, "path",         TEXT,      seccomp,           seccomp,      "a JSON file, or unconfined"),
        CONTAINER("Secret",                 SUPPORTED, "secrets",      SECRETS,   secrets,           secrets,      "NAME[,type=mount|env][,target=…][,uid=][,gid=][,mode=]"),
        QUADLET("SecurityLabelDisable",     "boolean", "no SELinux labels"),
        QUADLET("SecurityLabelFileType",    "text",    "SELinux type of the files"),
        QUADLET("SecurityLabelLevel",       "text",    "SELinux level"),
        QUADLET("SecurityLabelNested",      "boolean", "SELinux labels inside"),
        QUADLET("SecurityLabelType",        "text",    "SELinux type of the process"),
        APP("ServiceName",                  SUPPORTED, "name",         NONE,      name,              service_name, "name of the service, without .service"),
        CONTAINER("ShmSize",                SUPPORTED, "size",         NUMBER,    shm_size,          size_limit,    "size of /dev/shm, 64m unless set; 0 for no limit"),
        CONTAINER("StartTimeout",           OWN,       "time",         NUMBER,    start_timeout,     seconds,      "how long an instance may take until it is ready: 60 s with a published port, else TimeoutStartSec="),
        QUADLET("StartWithPod",             "boolean", "started together with its pod"),
        CONTAINER("StopSignal",             SUPPORTED, "signal",       NUMBER,    stop_signal,       signal,       "asks the payload to stop; SIGTERM, or the image's"),
        CONTAINER("StopTimeout",            SUPPORTED, "time",         NUMBER,    stop_timeout,      seconds,      "how long it may take before it is killed (default 10 s)"),
        QUADLET("SubGIDMap",                "name",    "an entry of /etc/subgid"),
        QUADLET("SubUIDMap",                "name",    "an entry of /etc/subuid"),
        CONTAINER("Sysctl",                 SUPPORTED, "pairs",        PAIRS,     sysctls,           sysctls,      "kernel parameters of the namespaces, NAME=VALUE"),
        CONTAINER("Timezone",               SUPPORTED, "name",         TEXT,      timezone,          timezone,     "a name such as Europe/Paris, or local"),
        CONTAINER("Tmpfs",                  SUPPORTED, "mounts",       MOUNTS,    mounts,            tmpfs,        "PATH[:OPTIONS]"),
        CONTAINER("UIDMap",                 SUPPORTED, "id maps",      ID_MAPS,   uid_map,           id_maps,      "user ids: INSIDE:OUTSIDE[:COUNT]"),
        CONTAINER("Ulimit",                 SUPPORTED, "limits",       ULIMITS,   ulimits,           ulimits,      "NAME=SOFT[:HARD], or host"),
        CONTAINER("Unmask",                 SUPPORTED, "paths",        TEXTS,     unmask,            unmask,       "paths not to hide, separated by colons; ALL"),
        CONTAINER("Update",                 OWN,       "way",          ENUM,      update,            update,       "rolling: new instances are ready before old ones end; recreate: the other way round"),
        CONTAINER("User",                   SUPPORTED, "user",         TEXT,      user,              user,         "the payload's user, a name or number of the image"),
        CONTAINER("UserNS",                 SUPPORTED, "namespace",    ENUM,      userns,            userns,       "auto (default), auto:size=NUMBER or host"),
        QUADLET("VolatileTmp",              "boolean", "use Tmpfs="),
        CONTAINER("Volume",                 SUPPORTED, "mounts",       MOUNTS,    mounts,            volume,       "[SOURCE:]PATH[:OPTIONS]"),
        CONTAINER("WorkingDir",             SUPPORTED, "path",         TEXT,      working_dir,       path,         "where the payload starts"),

        QUADLET_IMAGE("AllTags",              "boolean", "pulls all tags of the repository"),
        READ("Arch",                 IMAGE, SUPPORTED, "name",    TEXT,   image.arch,        platform,    "the architecture, where it is not this machine's: arm64"),
        READ("AuthFile",             IMAGE, SUPPORTED, "path",    TEXT,   image.auth_file,   host_path,   "the file of passwords for registries, in place of those of this machine"),
        READ("CertDir",              IMAGE, SUPPORTED, "path",    TEXT,   image.cert_dir,    host_path,   "the directory of certificates for the registry"),
        QUADLET_IMAGE("ContainersConfModule", "path",    "a module of containers.conf(5)"),
        READ("Creds",                IMAGE, SUPPORTED, "text",    TEXT,   image.creds,       creds,       "who one is to the registry: USER:PASSWORD"),
        QUADLET_IMAGE("DecryptionKey",        "path",    "the key of an encrypted image"),
        QUADLET_IMAGE("GlobalArgs",           "words",   "options of podman itself"),
        READ("Image",                IMAGE, SUPPORTED, "image",   TEXT,   image.name,        image_name,  "the image to pull"),
        READ("ImageTag",             IMAGE, SUPPORTED, "image",   TEXT,   image.tag,         image_tag,   "one more name that it gets, and that apps run"),
        READ("OS",                   IMAGE, SUPPORTED, "name",    TEXT,   image.os,          platform,    "the operating system, where it is not linux"),
        QUADLET_IMAGE("PodmanArgs",           "words",   "options of podman pull"),
        READ("Policy",               IMAGE, SUPPORTED, "policy",  NUMBER, image.policy,      policy,      "when it is pulled: always (default), missing, newer, never"),
        READ("Retry",                IMAGE, SUPPORTED, "number",  NUMBER, image.retry,       count,       "how often a pull that fails is tried again (default 5)"),
        READ("RetryDelay",           IMAGE, SUPPORTED, "time",    NUMBER, image.retry_delay, seconds,     "before the first of those, then twice that (default 500 ms)"),
        READ("ServiceName",          IMAGE, SUPPORTED, "name",    NONE,   name,              service_name, "name of the service, without .service"),
        READ("TLSVerify",            IMAGE, SUPPORTED, "boolean", BOOL,   image.tls_verify,  bool,        "whether certificates are verified; no also allows http"),
        READ("Variant",              IMAGE, SUPPORTED, "name",    TEXT,   image.variant,     platform,    "the variant of the architecture: v8"),

        QUADLET_NETWORK("ContainersConfModule", "path",  "a module of containers.conf(5)"),
        READ("DisableDNS",          NETWORK, SUPPORTED, "boolean",   BOOL,   net.disable_dns,    bool,            "no name service on this network"),
        READ("DNS",                 NETWORK, SUPPORTED, "addresses", TEXTS,  net.dns,            addresses,       "name servers of the apps, in place of those of the host"),
        READ("Driver",              NETWORK, SUPPORTED, "name",      TEXT,   net.driver,         driver,          "bridge, which is the only one"),
        READ("Gateway",             NETWORK, SUPPORTED, "addresses", TEXTS,  net.gateways,       gateways,        "the host's address on the network; the first of the subnet unless set"),
        QUADLET_NETWORK("GlobalArgs",         "words",     "options of podman itself"),
        READ("InterfaceName",       NETWORK, SUPPORTED, "name",      TEXT,   net.interface_name, interface,       "what the bridge is called on the host"),
        READ("Internal",            NETWORK, SUPPORTED, "boolean",   BOOL,   net.internal,       bool,            "nothing leads out of the network"),
        READ("IPAMDriver",          NETWORK, SUPPORTED, "name",      TEXT,   net.ipam_driver,    ipam,            "host-local, which is the only one"),
        READ("IPRange",             NETWORK, SUPPORTED, "ranges",    TEXTS,  net.ranges,         ranges,          "the part of the subnet that addresses are given out of: a subnet, or FIRST-LAST"),
        READ("IPv6",                NETWORK, SUPPORTED, "boolean",   BOOL,   net.ipv6,           bool,            "the network has IPv6, too"),
        READ("Label",               NETWORK, SUPPORTED, "pairs",     PAIRS,  net.labels,         pairs,           "labels, NAME=VALUE"),
        READ("NetworkDeleteOnStop", NETWORK, SUPPORTED, "boolean",   BOOL,   net.delete_on_stop, bool,            "a stop of the service forgets subnets and addresses"),
        READ("NetworkName",         NETWORK, SUPPORTED, "name",      TEXT,   net.name,           network_name,    "what it is called, in place of NAME"),
        READ("Options",             NETWORK, SUPPORTED, "options",   NONE,   net.mtu,            network_options, "mtu=BYTES; isolate=true: apart from the other networks"),
        QUADLET_NETWORK("PodmanArgs",         "words",     "options of podman network create"),
        READ("ServiceName",         NETWORK, SUPPORTED, "name",      NONE,   name,               service_name,    "name of the service, without .service"),
        READ("Subnet",              NETWORK, SUPPORTED, "subnets",   TEXTS,  net.subnets,        subnets,         "ADDRESS/PREFIX, one of each family; one that is free unless set"),

        PASSED("ExecCondition",                   SERVICE, "command", "run on the host before anything else; may skip the start"),
        PASSED("ExecStartPre",                    SERVICE, "command", "run on the host before the app starts"),
        PASSED("ExecStartPost",                   SERVICE, "command", "run on the host when the app is ready"),
        PASSED("ExecStopPost",                    SERVICE, "command", "run on the host when the app has stopped"),
        READ("IPAddressAllow",                    SERVICE, READ,   "addresses", ACCESS, ip_allow,      access,        "whom the instances may send to and hear from, before IPAddressDeny="),
        READ("IPAddressDeny",                     SERVICE, READ,   "addresses", ACCESS, ip_deny,       access,        "whom they may not"),
        PASSED("LogExtraFields",                  SERVICE, "pairs",   "more fields of each line in the journal"),
        PASSED("LogFilterPatterns",               SERVICE, "text",    "which lines the journal keeps"),
        PASSED("LogLevelMax",                     SERVICE, "text",    "the least important lines that the journal keeps"),
        PASSED("LogRateLimitBurst",               SERVICE, "number",  "how many lines in that time"),
        PASSED("LogRateLimitIntervalSec",         SERVICE, "time",    "the journal's rate limit; off unless set"),
        READ("RemainAfterExit",                   SERVICE, PASSED, "boolean",  NONE,   remain_after_exit, plain_bool,    "with Type=oneshot: the service stays active"),
        READ("Restart",                           SERVICE, READ,   "text",     NONE,   restart,           restart,       "when an instance is started again: no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always (default)"),
        READ("RestartForceExitStatus",            SERVICE, READ,   "statuses", EXIT_SET, restart_force,     exit_set,      "ends after which an instance is started again whatever Restart= says"),
        READ("RestartPreventExitStatus",          SERVICE, READ,   "statuses", EXIT_SET, restart_prevent,   exit_set,      "ends after which it is not"),
        READ("RestartSec",                        SERVICE, READ,   "time",     NUMBER, restart_sec,       seconds,      "the least time between an end and the next start (at once, then after pauses that double)"),
        PASSED("RuntimeMaxSec",                   SERVICE, "time",    "how long the app may run at all"),
        PASSED("RuntimeRandomizedExtraSec",       SERVICE, "time",    "more of that, by chance"),
        READ("SocketBindAllow",                   SERVICE, READ,   "ports",    SOCKET_BINDS, bind_allow,    socket_binds,  "ports that the instances may bind, before SocketBindDeny="),
        READ("SocketBindDeny",                    SERVICE, READ,   "ports",    SOCKET_BINDS, bind_deny,     socket_binds,  "ports that they may not"),
        READ("SuccessExitStatus",                 SERVICE, PASSED, "statuses", EXIT_SET, success,           exit_set,      "ends that count as success"),
        PASSED("SyslogIdentifier",                SERVICE, "name",    "what the journal calls the supervisor's own lines"),
        READ("TimeoutSec",                        SERVICE, READ,   "time",     NONE,   name,              both_timeouts, "TimeoutStartSec= and TimeoutStopSec="),
        PASSED("TimeoutStartFailureMode",         SERVICE, "text",    "how a start that takes too long is ended"),
        READ("TimeoutStartSec",                   SERVICE, READ,   "time",     NUMBER, timeout_start,     seconds,       "how long the start may take"),
        PASSED("TimeoutStopFailureMode",          SERVICE, "text",    "how a stop that takes too long is ended"),
        READ("TimeoutStopSec",                    SERVICE, READ,   "time",     NUMBER, timeout_stop,      seconds,       "how long the stop may take; StopTimeout= and 10 s unless set"),
        READ("Type",                              SERVICE, READ,   "text",     NONE,   oneshot,           type,          "notify (default) or oneshot"),
        REFUSED("AllowedCPUs",                    SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("AllowedMemoryNodes",             SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("AmbientCapabilities",            SERVICE, "use AddCapability= in [Container]"),
        REFUSED("AppArmorProfile",                SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("BindPaths",                      SERVICE, "use Volume= in [Container]"),
        REFUSED("BindReadOnlyPaths",              SERVICE, "use Volume= in [Container]"),
        REFUSED("BPFProgram",                     SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("BusName",                        SERVICE, "berth sets it"),
        REFUSED("CacheDirectory",                 SERVICE, "use Volume= in [Container]"),
        REFUSED("CacheDirectoryMode",             SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("CapabilityBoundingSet",          SERVICE, "use AddCapability= and DropCapability= in [Container]"),
        REFUSED("ConfigurationDirectory",         SERVICE, "use Volume= in [Container]"),
        REFUSED("ConfigurationDirectoryMode",     SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("CoredumpFilter",                 SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("CPUQuota",                       SERVICE, "use CPUs= in [Container]"),
        REFUSED("CPUShares",                      SERVICE, "use CPUWeight= in [Container]"),
        REFUSED("CPUWeight",                      SERVICE, "use CPUWeight= in [Container]"),
        REFUSED("Delegate",                       SERVICE, "berth sets it"),
        REFUSED("DeviceAllow",                    SERVICE, "use AddDevice= in [Container]"),
        REFUSED("DisableControllers",             SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("DynamicUser",                    SERVICE, "each app has a user namespace of its own"),
        REFUSED("Environment",                    SERVICE, "use Environment= in [Container]"),
        REFUSED("EnvironmentFile",                SERVICE, "use EnvironmentFile= in [Container]"),
        REFUSED("ExecPaths",                      SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("ExecReload",                     SERVICE, "use ReloadCmd= or ReloadSignal= in [Container]"),
        REFUSED("ExecSearchPath",                 SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("ExecStart",                      SERVICE, "use Exec= in [Container]"),
        REFUSED("ExecStop",                       SERVICE, "use StopSignal= in [Container]"),
        REFUSED("ExitType",                       SERVICE, "berth sets it"),
        REFUSED("ExtensionDirectories",           SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("ExtensionImages",                SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("FileDescriptorStoreMax",         SERVICE, "berth sets it"),
        REFUSED("FileDescriptorStorePreserve",    SERVICE, "berth sets it"),
        REFUSED("FinalKillSignal",                SERVICE, "berth sets it"),
        REFUSED("Group",                          SERVICE, "use Group= in [Container]"),
        REFUSED("GuessMainPID",                   SERVICE, "berth sets it"),
        REFUSED("IgnoreSIGPIPE",                  SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("ImportCredential",               SERVICE, "use Secret= in [Container]"),
        REFUSED("InaccessiblePaths",              SERVICE, "use Mask= in [Container]"),
        REFUSED("IOWeight",                       SERVICE, "use IOWeight= in [Container]"),
        REFUSED("IPAccounting",                   SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("KeyringMode",                    SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("KillMode",                       SERVICE, "berth sets it"),
        REFUSED("KillSignal",                     SERVICE, "use StopSignal= in [Container]"),
        REFUSED("LoadCredential",                 SERVICE, "use Secret= in [Container]"),
        REFUSED("LoadCredentialEncrypted",        SERVICE, "use Secret= in [Container]"),
        REFUSED("LockPersonality",                SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("LogNamespace",                   SERVICE, "journal namespaces are not supported yet"),
        REFUSED("LogsDirectory",                  SERVICE, "use Volume= in [Container]"),
        REFUSED("LogsDirectoryMode",              SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("MemoryDenyWriteExecute",         SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("MemoryLimit",                    SERVICE, "use Memory= in [Container]"),
        REFUSED("MemoryMax",                      SERVICE, "use Memory= in [Container]"),
        REFUSED("MemorySwapMax",                  SERVICE, "use MemorySwap= in [Container]"),
        REFUSED("MountAPIVFS",                    SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("MountFlags",                     SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("MountImages",                    SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("NetworkNamespacePath",           SERVICE, "use Network= in [Container]"),
        REFUSED("Nice",                           SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("NoExecPaths",                    SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("NonBlocking",                    SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("NoNewPrivileges",                SERVICE, "use NoNewPrivileges= in [Container]"),
        REFUSED("NotifyAccess",                   SERVICE, "berth sets it"),
        REFUSED("OOMPolicy",                      SERVICE, "berth sets it"),
        REFUSED("OOMScoreAdjust",                 SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("OpenFile",                       SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("PAMName",                        SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("PassEnvironment",                SERVICE, "use EnvironmentHost= in [Container]"),
        REFUSED("Personality",                    SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("PIDFile",                        SERVICE, "berth sets it"),
        REFUSED("PrivateNetwork",                 SERVICE, "use Network= in [Container]"),
        REFUSED("PrivateUsers",                   SERVICE, "use UserNS= in [Container]"),
        REFUSED("ProcSubset",                     SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("ProtectHostname",                SERVICE, "use HostName= in [Container]"),
        REFUSED("ReadOnlyPaths",                  SERVICE, "use ReadOnly= in [Container]"),
        REFUSED("ReadWritePaths",                 SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("ReloadSignal",                   SERVICE, "use ReloadSignal= in [Container]"),
        REFUSED("RemoveIPC",                      SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("RestartKillSignal",              SERVICE, "use StopSignal= in [Container]"),
        REFUSED("RestartMaxDelaySec",             SERVICE, "instances are started again with a delay that grows by itself"),
        REFUSED("RestartMode",                    SERVICE, "berth sets it"),
        REFUSED("RestartSteps",                   SERVICE, "instances are started again with a delay that grows by itself"),
        REFUSED("RootDirectory",                  SERVICE, "use Rootfs= in [Container]"),
        REFUSED("RootDirectoryStartOnly",         SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("RootImage",                      SERVICE, "use Rootfs= in [Container]"),
        REFUSED("RootVerity",                     SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("RuntimeDirectory",               SERVICE, "use Volume= or Tmpfs= in [Container]"),
        REFUSED("RuntimeDirectoryMode",           SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("RuntimeDirectoryPreserve",       SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("SecureBits",                     SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("SELinuxContext",                 SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("SendSIGHUP",                     SERVICE, "berth sets it"),
        REFUSED("SendSIGKILL",                    SERVICE, "berth sets it"),
        REFUSED("SetCredential",                  SERVICE, "use Secret= in [Container]"),
        REFUSED("SetCredentialEncrypted",         SERVICE, "use Secret= in [Container]"),
        REFUSED("Slice",                          SERVICE, "berth sets it"),
        REFUSED("SmackProcessLabel",              SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        PASSED("Sockets",                         SERVICE, "units",   ".socket units whose sockets stand for published ports"),
        REFUSED("StandardError",                  SERVICE, "berth sets it"),
        REFUSED("StandardInput",                  SERVICE, "berth sets it"),
        REFUSED("StandardOutput",                 SERVICE, "berth sets it"),
        REFUSED("StateDirectory",                 SERVICE, "use Volume= in [Container]"),
        REFUSED("StateDirectoryMode",             SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("SupplementaryGroups",            SERVICE, "use GroupAdd= in [Container]"),
        REFUSED("SystemCallFilter",               SERVICE, "use SeccompProfile= in [Container]"),
        REFUSED("TasksMax",                       SERVICE, "use PidsLimit= in [Container]"),
        REFUSED("TemporaryFileSystem",            SERVICE, "use Tmpfs= in [Container]"),
        REFUSED("TimeoutAbortSec",                SERVICE, "berth sets it"),
        REFUSED("TimerSlackNSec",                 SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("UMask",                          SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("UnsetEnvironment",               SERVICE, "use Environment= in [Container]"),
        REFUSED("User",                           SERVICE, "use User= in [Container]"),
        REFUSED("WatchdogSec",                    SERVICE, "the watchdog of a payload is not supported yet"),
        REFUSED("WatchdogSignal",                 SERVICE, "the watchdog of a payload is not supported yet"),
        REFUSED("WorkingDirectory",               SERVICE, "use WorkingDir= in [Container]"),
        REFUSED("CPU*",                           SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("Device*",                        SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("IO*",                            SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("IPC*",                           SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("Limit*",                         SERVICE, "use Ulimit= in [Container]"),
        REFUSED("ManagedOOM*",                    SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("Memory*",                        SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("NUMA*",                          SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("Private*",                       SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("Protect*",                       SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("Restrict*",                      SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("RootHash*",                      SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("RootImage*",                     SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("Socket*",                        SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("StandardInput*",                 SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("Startup*",                       SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("Syslog*",                        SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("SystemCall*",                    SERVICE, "the container has a sandbox of its own, see berth.container(5)"),
        REFUSED("Tasks*",                         SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("TTY*",                           SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("USBFunction*",                   SERVICE, "it would apply to the supervisor and not to the container"),
        REFUSED("Utmp*",                          SERVICE, "it would apply to the supervisor and not to the container"),

        PASSED("AllowedCPUs",                    SLICE, "cpus", "the processors that the app may use"),
        PASSED("AllowedMemoryNodes",             SLICE, "nodes", "the memory nodes that it may use"),
        PASSED("BPFProgram",                     SLICE, "text", "systemd.resource-control(5)"),
        PASSED("CPUAccounting",                  SLICE, "boolean", "CPU time is counted"),
        PASSED("CPUQuota",                       SLICE, "percentage", "CPU time at most: 150% is one processor and a half"),
        PASSED("CPUQuotaPeriodSec",              SLICE, "time", "over which time that is measured"),
        PASSED("CPUWeight",                      SLICE, "number", "share of the processors against others: 1 to 10000, 100 is usual; idle"),
        PASSED("DefaultMemoryLow",               SLICE, "size", "MemoryLow= of what is in the slice"),
        PASSED("DefaultMemoryMin",               SLICE, "size", "MemoryMin= of what is in the slice"),
        PASSED("DeviceAllow",                    SLICE, "devices", "devices that may be used"),
        PASSED("DevicePolicy",                   SLICE, "text", "systemd.resource-control(5)"),
        PASSED("DisableControllers",             SLICE, "words", "systemd.resource-control(5)"),
        PASSED("IOAccounting",                   SLICE, "boolean", "input and output is counted"),
        PASSED("IODeviceLatencyTargetSec",       SLICE, "device and time", "the latency to keep on a disk"),
        PASSED("IODeviceWeight",                 SLICE, "device and number", "share of one disk"),
        PASSED("IOReadBandwidthMax",             SLICE, "device and size", "bytes a second that are read at most"),
        PASSED("IOReadIOPSMax",                  SLICE, "device and number", "reads a second at most"),
        PASSED("IOWeight",                       SLICE, "number", "share of the disks against others: 1 to 10000, 100 is usual"),
        PASSED("IOWriteBandwidthMax",            SLICE, "device and size", "bytes a second that are written at most"),
        PASSED("IOWriteIOPSMax",                 SLICE, "device and number", "writes a second at most"),
        PASSED("IPAccounting",                   SLICE, "boolean", "network traffic is counted"),
        PASSED("IPAddressAllow",                 SLICE, "addresses", "whom the app may send to and hear from, before IPAddressDeny="),
        PASSED("IPAddressDeny",                  SLICE, "addresses", "whom it may not"),
        PASSED("IPEgressFilterPath",             SLICE, "path", "systemd.resource-control(5)"),
        PASSED("IPIngressFilterPath",            SLICE, "path", "systemd.resource-control(5)"),
        PASSED("ManagedOOMMemoryPressure",       SLICE, "text", "what systemd-oomd does under pressure: auto or kill"),
        PASSED("ManagedOOMMemoryPressureLimit",  SLICE, "percentage", "from where on"),
        PASSED("ManagedOOMPreference",           SLICE, "text", "systemd.resource-control(5)"),
        PASSED("ManagedOOMSwap",                 SLICE, "text", "what systemd-oomd does where swap runs out: auto or kill"),
        PASSED("MemoryAccounting",               SLICE, "boolean", "memory is counted"),
        PASSED("MemoryHigh",                     SLICE, "size", "memory from where on the app is slowed down"),
        PASSED("MemoryLow",                      SLICE, "size", "memory that is taken from it last"),
        PASSED("MemoryMax",                      SLICE, "size", "memory at most of all its instances together"),
        PASSED("MemoryMin",                      SLICE, "size", "memory that is never taken from it"),
        PASSED("MemorySwapMax",                  SLICE, "size", "swap at most"),
        PASSED("MemoryZSwapMax",                 SLICE, "size", "compressed swap at most"),
        PASSED("RestrictNetworkInterfaces",      SLICE, "words", "the network interfaces that it may use"),
        PASSED("SocketBindAllow",                SLICE, "ports", "ports that it may bind, before SocketBindDeny="),
        PASSED("SocketBindDeny",                 SLICE, "ports", "ports that it may not"),
        PASSED("TasksAccounting",                SLICE, "boolean", "processes and threads are counted"),
        PASSED("TasksMax",                       SLICE, "number", "processes and threads at most"),
        REFUSED("CPUs",                          SLICE, "use CPUQuota= here: 150% is CPUs=1.5"),
        REFUSED("Delegate",                      SLICE, "berth sets it"),
        REFUSED("Memory",                        SLICE, "use MemoryMax= here"),
        REFUSED("MemorySwap",                    SLICE, "use MemorySwapMax= here, which is swap alone"),
        REFUSED("PidsLimit",                     SLICE, "use TasksMax= here"),
        REFUSED("Slice",                         SLICE, "berth sets it"),
        PASSED("Startup*",                        SLICE, "text", "the same while the machine starts"),

        READ("After",                          UNIT, PASSED, "units",  NONE,   name,                 dependencies, "starts after those"),
        READ("Before",                         UNIT, PASSED, "units",  NONE,   name,                 dependencies, "starts before those"),
        READ("BindsTo",                        UNIT, PASSED, "units",  NONE,   name,                 dependencies, "stops with those"),
        READ("Conflicts",                      UNIT, PASSED, "units",  NONE,   name,                 dependencies, "never runs with those"),
        READ("OnFailure",                      UNIT, PASSED, "units",  NONE,   name,                 dependencies, "started when this fails"),
        READ("OnSuccess",                      UNIT, PASSED, "units",  NONE,   name,                 dependencies, "started when this ends well"),
        READ("PartOf",                         UNIT, PASSED, "units",  NONE,   name,                 dependencies, "stops and restarts with those"),
        READ("PropagatesReloadTo",             UNIT, PASSED, "units",  NONE,   name,                 dependencies, "reloaded with this"),
        READ("PropagatesStopTo",               UNIT, PASSED, "units",  NONE,   name,                 dependencies, "stopped with this"),
        READ("ReloadPropagatedFrom",           UNIT, PASSED, "units",  NONE,   name,                 dependencies, "reloads with those"),
        READ("Requires",                       UNIT, PASSED, "units",  NONE,   name,                 dependencies, "needs those"),
        READ("Requisite",                      UNIT, PASSED, "units",  NONE,   name,                 dependencies, "needs those to run already"),
        READ("StopPropagatedFrom",             UNIT, PASSED, "units",  NONE,   name,                 dependencies, "stops with those"),
        READ("Upholds",                        UNIT, PASSED, "units",  NONE,   name,                 dependencies, "keeps those running"),
        READ("Wants",                          UNIT, PASSED, "units",  NONE,   name,                 dependencies, "starts those, too"),
        REFUSED("JoinsNamespaceOf",            UNIT, "the container has namespaces of its own"),
        PASSED("AllowIsolate",                 UNIT, "text", "systemd.unit(5)"),
        PASSED("CollectMode",                  UNIT, "text", "systemd.unit(5)"),
        PASSED("DefaultDependencies",          UNIT, "text", "systemd.unit(5)"),
        PASSED("Description",                  UNIT, "text", "systemd.unit(5)"),
        PASSED("Documentation",                UNIT, "text", "systemd.unit(5)"),
        PASSED("FailureAction",                UNIT, "text", "systemd.unit(5)"),
        PASSED("FailureActionExitStatus",      UNIT, "text", "systemd.unit(5)"),
        PASSED("IgnoreOnIsolate",              UNIT, "text", "systemd.unit(5)"),
        PASSED("JobRunningTimeoutSec",         UNIT, "text", "systemd.unit(5)"),
        PASSED("JobTimeoutAction",             UNIT, "text", "systemd.unit(5)"),
        PASSED("JobTimeoutRebootArgument",     UNIT, "text", "systemd.unit(5)"),
        PASSED("JobTimeoutSec",                UNIT, "text", "systemd.unit(5)"),
        PASSED("OnFailureJobMode",             UNIT, "text", "systemd.unit(5)"),
        PASSED("OnSuccessJobMode",             UNIT, "text", "systemd.unit(5)"),
        PASSED("RebootArgument",               UNIT, "text", "systemd.unit(5)"),
        PASSED("RefuseManualStart",            UNIT, "text", "systemd.unit(5)"),
        PASSED("RefuseManualStop",             UNIT, "text", "systemd.unit(5)"),
        PASSED("RequiresMountsFor",            UNIT, "text", "systemd.unit(5)"),
        PASSED("StartLimitAction",             UNIT, "text", "systemd.unit(5)"),
        PASSED("StopWhenUnneeded",             UNIT, "text", "systemd.unit(5)"),
        PASSED("SuccessAction",                UNIT, "text", "systemd.unit(5)"),
        PASSED("SuccessActionExitStatus",      UNIT, "text", "systemd.unit(5)"),
        PASSED("SurviveFinalKillSignal",       UNIT, "text", "systemd.unit(5)"),
        PASSED("WantsMountsFor",               UNIT, "text", "systemd.unit(5)"),
        READ("StartLimitBurst",                UNIT, READ,   "number", NUMBER, start_limit_burst,    count,        "how many starts of an instance in that time"),
        READ("StartLimitIntervalSec",          UNIT, READ,   "time",   NUMBER, start_limit_interval, seconds,      "the time in which too many starts of an instance are given up; no limit unless set"),
        REFUSED("SourcePath",                  UNIT, "berth sets it"),
        PASSED("Assert*",                      UNIT, "text", "systemd.unit(5)"),
        PASSED("Condition*",                   UNIT, "text", "systemd.unit(5)"),

        READ("Alias",                 INSTALL, READ, "units", TEXTS, alias,            aliases,  "more names of the service"),
        REFUSED("Also",               INSTALL, "each spec has an [Install] section of its own"),
        READ("DefaultInstance",       INSTALL, READ, "name",  TEXT,  default_instance, instance, "the instance of a template that the others of this section mean"),
        READ("RequiredBy",            INSTALL, READ, "units", TEXTS, required_by,      units,    "those need this one"),
        READ("UpheldBy",              INSTALL, READ, "units", TEXTS, upheld_by,        units,    "those keep this one running"),
        READ("WantedBy",              INSTALL, READ, "units", TEXTS, wanted_by,        units,    "started with those, at boot with multi-user.target"),

        READ("DefaultDependencies",       QUADLET, SUPPORTED, "boolean", BOOL, default_dependencies, bool, "no: a pull does not wait for the network; an app never does unless [Unit] says so"),
};
/* clang-format on */
const size_t spec_n_keys = ELEMENTSOF(spec_keys);

static const char *const section_names[_SPEC_SECTION_MAX] = {
        [SECTION_UNIT] = "Unit",           [SECTION_SERVICE] = "Service", [SECTION_INSTALL] = "Install",
        [SECTION_CONTAINER] = "Container", [SECTION_IMAGE] = "Image",     [SECTION_QUADLET] = "Quadlet",
        [SECTION_NETWORK] = "Network",   [SECTION_SLICE] = "Slice",
};

static const char *const state_names[_SPEC_KEY_STATE_MAX] = {
        [KEY_SUPPORTED] = "supported", [KEY_OWN] = "own",   [KEY_QUADLET] = "not-yet",
        [KEY_PASSED] = "passed",       [KEY_READ] = "read", [KEY_REFUSED] = "refused",
};

const char *spec_section_name(SpecSection section) {
        return section_names[section];
}

const char *spec_key_state_name(SpecKeyState state) {
        return state_names[state];
}

static const SpecSection own_sections[_SPEC_KIND_MAX] = {
        [SPEC_CONTAINER] = SECTION_CONTAINER, [SPEC_IMAGE] = SECTION_IMAGE, [SPEC_NETWORK] = SECTION_NETWORK,
};

SpecSection spec_kind_section(SpecKind kind) {
        return own_sections[kind];
}

bool spec_section_is_own(SpecSection section) {
        for (size_t i = 0; i < ELEMENTSOF(own_sections); i++)
                if (own_sections[i] == section)
                        return true;
        return false;
}

bool spec_section_is_of(SpecSection section, SpecKind kind) {
        if (section == SECTION_SLICE)
                return kind == SPEC_CONTAINER;
        return !spec_section_is_own(section) || own_sections[kind] == section;
}

const SpecKey *spec_key_find(SpecSection section, const char *name) {
        const SpecKey *pattern = NULL;

        for (size_t i = 0; i < spec_n_keys; i++) {
                const SpecKey *k = &spec_keys[i];
                size_t n;

                if (k->section != section)
                        continue;
                if (streq(k->name, name))
                        return k;
                n = strlen(k->name);
                if (!pattern && k->name[n - 1] == '*' && strncmp(k->name, name, n - 1) == 0)
                        pattern = k;
        }
        return pattern;
}

const SpecKey *spec_key_near(SpecSection section, const char *name) {
        Nearest nearest = NEAREST_INIT(name);

        for (size_t i = 0; i < spec_n_keys; i++) {
                const SpecKey *k = &spec_keys[i];

                if (k->section == section && k->state != KEY_REFUSED && !str_ends_with(k->name, "*"))
                        nearest_try(&nearest, k->name, k);
        }
        return nearest_found(&nearest);
}

const SpecKey *spec_key_elsewhere(SpecKind kind, SpecSection not_this, const char *name) {
        /* Where a key is at home in several sections, the one whose own it is comes first. */
        static const SpecSection order[] = { SECTION_CONTAINER, SECTION_IMAGE, SECTION_NETWORK, SECTION_UNIT, SECTION_SERVICE, SECTION_SLICE,
                SECTION_INSTALL };

        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                const SpecKey *k = order[i] == not_this || !spec_section_is_of(order[i], kind) ? NULL : spec_key_find(order[i], name);

                if (k && k->state != KEY_REFUSED)
                        return k;
        }
        return NULL;
}

bool spec_key_is_list(const SpecKey *k) {
        switch (k->store) {
        case STORE_NONE:
                return k->state == KEY_PASSED;
        case STORE_TEXT:
        case STORE_BOOL:
        case STORE_NUMBER:
        case STORE_SHARE:
        case STORE_COMMAND:
        case STORE_ENUM:
                return false;
        case STORE_MASK:
        case STORE_TEXTS:
        case STORE_PAIRS:
        case STORE_ENV_FILES:
        case STORE_MOUNTS:
        case STORE_DEVICES:
        case STORE_ULIMITS:
        case STORE_ID_MAPS:
        case STORE_HOSTS:
        case STORE_PORTS:
        case STORE_SECRETS:
        case STORE_ACCESS:
        case STORE_SOCKET_BINDS:
        case STORE_EXIT_SET:
                return true;
        case _SPEC_STORE_MAX:
        case _SPEC_STORE_INVALID:
                break;
        }
        assert(false);
        return false;
}

const char *spec_key_refusal(const SpecKey *k) {
        switch (k->state) {
        case KEY_QUADLET:
                return "known from Quadlet, not supported yet";
        case KEY_REFUSED:
                return k->help;
        case KEY_SUPPORTED:
        case KEY_OWN:
        case KEY_PASSED:
        case KEY_READ:
                return NULL;
        case _SPEC_KEY_STATE_MAX:
        case _SPEC_KEY_STATE_INVALID:
                break;
        }
        assert(false);
        return NULL;
}
