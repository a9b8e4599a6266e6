package plateau.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.load.NativeFiles;

/** What the CPU driver takes of a machine, shown the /proc and /sys of others. */
class LimitsTest {
    private static final long MIB = 1L << 20, GIB = 1L << 30;

    @TempDir
    private Path root;

    /** What the driver makes of the tree. */
    private record Limits(long cpus, long threads, long deviceMemory, long room) {}

    @BeforeEach
    void aMachineOf16GiB() throws IOException {
        file("proc/meminfo", "MemTotal: 16777216 kB", "MemFree: 1048576 kB", "MemAvailable: 15728640 kB");
        file("proc/self/cgroup", "0::/");
    }

    private void file(String path, String... lines) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, String.join("\n", lines) + "\n");
    }

    private Limits limits(int inMask, String setting) throws Exception {
        SymbolLookup library = SymbolLookup.libraryLookup(NativeFiles.library("libcuda.so.1"), Arena.global());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment folder = arena.allocateFrom(root.toString());
            MemorySegment text = setting == null ? MemorySegment.NULL : arena.allocateFrom(setting);
            MemorySegment limits = arena.allocate(ValueLayout.JAVA_LONG, 4);
            Linker.nativeLinker()
                    .downcallHandle(
                            library.findOrThrow("plateau_limits"),
                            FunctionDescriptor.ofVoid(
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.ADDRESS))
                    .invokeExact(folder, inMask, text, limits);
            long[] found = limits.toArray(ValueLayout.JAVA_LONG);
            return new Limits(found[0], found[1], found[2], found[3]);
        } catch (Exception e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private long cpus(int inMask) throws Exception {
        return limits(inMask, null).cpus;
    }

    private long threads(String setting) throws Exception {
        return limits(2, setting).threads;
    }

    private void version2() throws IOException {
        file("proc/self/cgroup", "0::/jobs/one");
        file(
                "proc/self/mountinfo",
                "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
                "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate");
    }

    private void version1() throws IOException {
        file("proc/self/cgroup", "9:cpu,cpuacct:/jobs/one", "7:memory:/jobs/one", "1:name=systemd:/init.scope");
        file(
                "proc/self/mountinfo",
                "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct",
                "34 25 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
    }

    @Test
    void aMachineWithoutLimitsIsTakenWhole() throws Exception {
        Limits limits = limits(8, null);
        assertEquals(8, limits.cpus);
        assertEquals(8, limits.threads);
        assertEquals(12 * GIB, limits.deviceMemory);
        assertEquals(12 * GIB, limits.room);
    }

    @Test
    void whatOtherProgramsHoldIsNotThere() throws Exception {
        file("proc/meminfo", "MemTotal: 16777216 kB", "MemAvailable: 2097152 kB", "SwapFree: 1048576 kB");
        assertEquals(new Limits(4, 4, 12 * GIB, 3 * GIB - 64 * MIB), limits(4, null));
    }

    @Test
    void quotasOfVersion2AreRoundedUp() throws Exception {
        version2();
        file("sys/fs/cgroup/jobs/one/cpu.max", "150000 100000");
        assertEquals(2, cpus(16));
        file("sys/fs/cgroup/jobs/one/cpu.max", "200000 100000");
        assertEquals(2, cpus(16));
        file("sys/fs/cgroup/jobs/one/cpu.max", "10000 100000");
        assertEquals(1, cpus(16));
        assertEquals(1, cpus(1));
    }

    @Test
    void quotasOfVersion1AreRoundedUp() throws Exception {
        version1();
        file("sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us", "250000");
        file("sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us", "100000");
        assertEquals(3, cpus(16));
        assertEquals(2, cpus(2), "the affinity mask is narrower");
        file("sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us", "-1");
        assertEquals(16, cpus(16));
    }

    @Test
    void theNarrowestOfNestedCgroupsDecides() throws Exception {
        version2();
        file("sys/fs/cgroup/jobs/one/cpu.max", "max 100000");
        file("sys/fs/cgroup/jobs/one/memory.max", "max");
        file("sys/fs/cgroup/jobs/cpu.max", "300000 100000");
        file("sys/fs/cgroup/jobs/memory.max", Long.toString(4 * GIB));
        file("sys/fs/cgroup/jobs/memory.current", Long.toString(GIB));
        assertEquals(new Limits(3, 3, 3 * GIB, 3 * GIB - 64 * MIB), limits(16, null));
        file("sys/fs/cgroup/jobs/one/memory.max", Long.toString(2 * GIB));
        file("sys/fs/cgroup/jobs/one/memory.current", Long.toString(GIB));
        assertEquals(new Limits(3, 3, 2 * GIB * 3 / 4, GIB - 64 * MIB), limits(16, null));
        file("sys/fs/cgroup/cpu.max", "100000 100000");
        assertEquals(1, cpus(16), "a container sees its own limits at the top");
    }

    /** Docker's 700 MB: at least 256 MiB stay for the program, and the page cache is no loss. */
    @Test
    void theMemoryOfAContainerIsSharedWithTheProgram() throws Exception {
        version1();
        long limit = 700_000_000, used = 400_000_000;
        file("sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", Long.toString(limit));
        file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
        assertEquals(limit - 256 * MIB, limits(2, null).deviceMemory);
        assertEquals(limit - 256 * MIB, limits(2, null).room);
        file("sys/fs/cgroup/memory/jobs/one/memory.usage_in_bytes", Long.toString(used));
        assertEquals(limit - used - limit / 16, limits(2, null).room);
        file(
                "sys/fs/cgroup/memory/jobs/one/memory.stat",
                "cache 1",
                "inactive_file 7",
                "total_inactive_file 60000000",
                "total_active_file 40000000");
        assertEquals(limit - (used - 100_000_000) - limit / 16, limits(2, null).room);
        file("sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", Long.toString(200 * MIB));
        assertEquals(50 * MIB, limits(2, null).deviceMemory, "of very little, a quarter");
        assertEquals(0, limits(2, null).room);
    }

    /** Without a cgroup namespace, a container's paths are the host's, of which it sees a part. */
    @Test
    void aPartOfAHierarchyIsTheContainersOwn() throws Exception {
        file("proc/self/cgroup", "7:memory:/docker/abc/inner", "3:cpu:/docker/abc");
        file(
                "proc/self/mountinfo",
                "34 25 0:30 /docker/abc /sys/fs/cgroup/my\\040memory ro - cgroup cgroup rw,memory",
                "35 25 0:31 /somewhere/else /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu");
        file("sys/fs/cgroup/my memory/inner/memory.limit_in_bytes", Long.toString(2 * GIB));
        file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000");
        file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
        assertEquals(new Limits(2, 2, 2 * GIB * 3 / 4, 2 * GIB * 3 / 4), limits(16, null));
        file("sys/fs/cgroup/my memory/memory.limit_in_bytes", Long.toString(GIB));
        assertEquals(GIB * 3 / 4, limits(16, null).deviceMemory);
    }

    @Test
    void theProcesssOwnLimitsCount() throws Exception {
        file(
                "proc/self/limits",
                "Limit                     Soft Limit           Hard Limit           Units     ",
                "Max data size             unlimited            unlimited            bytes     ",
                "Max address space         4294967296           unlimited            bytes     ");
        file("proc/self/status", "Name:\tjava", "VmSize:\t 3145728 kB", "VmData:\t 2097152 kB");
        assertEquals(new Limits(2, 2, 3 * GIB, GIB - 64 * MIB), limits(2, null));
        file("proc/self/limits", "Max data size             3221225472            unlimited            bytes     ");
        assertEquals(GIB - 64 * MIB, limits(2, null).room);
    }

    @Test
    void whatIsMissingOrGarbageIsNoLimit() throws Exception {
        version2();
        file("sys/fs/cgroup/jobs/one/cpu.max", "garbage");
        file("sys/fs/cgroup/jobs/one/memory.max", "-5");
        file("sys/fs/cgroup/jobs/cpu.max", "0 0");
        file("sys/fs/cgroup/jobs/memory.max", "");
        file("sys/fs/cgroup/cpu.max", "100000");
        file("sys/fs/cgroup/memory.max", "99999999999999999999999");
        assertEquals(new Limits(5, 5, 12 * GIB, 12 * GIB), limits(5, null));
        file("proc/self/cgroup", "", ":", "0:", "::", "0::/../../elsewhere");
        file("proc/self/mountinfo", "", "- - -", "30 22 - cgroup2", "30 22 0:26 / /sys/fs/cgroup - cgroup2 cgroup2 rw");
        assertEquals(new Limits(5, 5, 12 * GIB, 12 * GIB), limits(5, null));
        Files.delete(root.resolve("proc/self/cgroup"));
        Files.delete(root.resolve("proc/self/mountinfo"));
        assertEquals(new Limits(5, 5, 12 * GIB, 12 * GIB), limits(5, null));
    }

    @Test
    void threadsAreAWholeNumberAndBounded() throws Exception {
        assertEquals(2, threads(null));
        assertEquals(2, threads(""));
        assertEquals(1, threads("1"));
        assertEquals(7, threads("7"));
        assertEquals(8, threads("9"), "four a CPU");
        assertEquals(8, threads("1024"));
        for (String wrong :
                new String[] {"0", "-1", "1025", "100000", "abc", "2x", " 2", "+2", "1e3", "99999999999999"}) {
            assertEquals(0, threads(wrong), wrong);
        }
    }
}
