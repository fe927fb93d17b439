"""What the benchmarks share: the commands' environment, and crun, runc, bwrap and their like made to do what berth does."""
import json
import os
import shutil
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PROFILE = "/usr/share/containers/seccomp.json"
ID_BASE = 999948288 # of the peers' user namespaces; outside berth's range
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
                "SYS_CHROOT"]


def run(*command, **options):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {(result.stderr or result.stdout).strip().splitlines()[-1:]}")
    return result.stdout


def nested(image, *options):
    """Goes on in a throwaway systemd, unless it is in one. The image is made out here once, where it is kept."""
    if "BERTH_NESTED" in os.environ:
        return
    scratch = f"/var/tmp/berth-bench.{os.getpid()}"
    subprocess.run([f"{TESTS}/images/make", image, scratch], check=True)
    shutil.rmtree(scratch)
    os.execv(f"{TESTS}/nested/enter", ["enter", "--net", "--bind", os.path.dirname(TESTS), "--bind", "/var/cache/berth-tests", *options, "--",
                                       os.path.realpath(sys.argv[0]), *sys.argv[1:]])


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def own(tree, base):
    """Adds base to the owner of every file, as a runtime without mapped mounts needs it."""
    for directory, names, files in os.walk(tree):
        for name in [directory] + [os.path.join(directory, n) for n in names + files]:
            st = os.lstat(name)
            if st.st_uid < base:
                os.lchown(name, st.st_uid + base, st.st_gid + base)


class DockerEngine:
    """dockerd with its files below a directory, without rules and, unless bridge is true, without networks; it ends with end()."""
    def __init__(self, directory, bridge=False):
        if not shutil.which("dockerd"):
            raise RuntimeError("there is no dockerd here")
        os.makedirs(directory, exist_ok=True)
        log_path = f"{directory}/log"
        command = ["dockerd", f"--data-root={directory}/data", "--exec-root=/run/bench-docker", "--iptables=false",
                   "--userns-remap=default"] + ([] if bridge else ["--bridge=none"])
        with open(log_path, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                with open(log_path) as log:
                    raise RuntimeError("its engine does not start: " + log.read().strip().splitlines()[-1])
            time.sleep(0.1)

    def image(self, tree):
        """A directory as an image; its id."""
        done = subprocess.run(f"tar -C {tree} -c . | docker import -", shell=True, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def end(self):
        self.process.terminate()
        self.process.wait()


def seccomp():
    """Podman's profile for these capabilities, as an OCI runtime wants it."""
    def counts(rule):
        caps = ["CAP_" + c for c in CAPABILITIES]
        includes, excludes = rule.get("includes", {}), rule.get("excludes", {})
        return (all(c in caps for c in includes.get("caps", [])) and not any(c in caps for c in excludes.get("caps", [])) and
                ("arches" not in includes or "amd64" in includes["arches"]) and "amd64" not in excludes.get("arches", []))
    with open(PROFILE) as file:
        profile = json.load(file)
    rules = [{key: rule[key] for key in ("names", "action", "args", "errnoRet") if rule.get(key)}
             for rule in profile["syscalls"] if counts(rule)]
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": rules}


def bundle(runtime, directory, root, args):
    """An OCI bundle with berth's isolation: every namespace, Podman's capabilities and seccomp profile, masked paths."""
    os.makedirs(directory)
    run(runtime, "spec", cwd=directory)
    path = f"{directory}/config.json"
    with open(path) as file:
        config = json.load(file)
    config["process"].update(terminal=False, args=args, noNewPrivileges=False,
                             capabilities={kind: ["CAP_" + c for c in CAPABILITIES] for kind in ("bounding", "effective", "permitted")})
    config["process"].pop("rlimits", None)
    config["root"] = {"path": root, "readonly": False}
    linux = config["linux"]
    # `spec` of some versions names a namespace twice.
    kinds = {n["type"] for n in linux["namespaces"]} | {"user", "cgroup"}
    linux["namespaces"] = [{"type": kind} for kind in sorted(kinds)]
    linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": ID_BASE, "size": 65536}]
    linux["seccomp"] = seccomp()
    linux.pop("resources", None)
    with open(path, "w") as file:
        json.dump(config, file)
    return directory
