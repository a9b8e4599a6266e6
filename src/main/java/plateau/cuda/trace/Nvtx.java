package plateau.cuda.trace;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import plateau.cuda.load.NvtxLibrary;

/** NVTX's functions, in a domain of this program's own. */
final class Nvtx {
    private static final String DOMAIN = "plateau";

    /** nvtxEventAttributes_t, as it is since version 2. */
    static final MemoryLayout ATTRIBUTES = MemoryLayout.structLayout(
            JAVA_SHORT.withName("version"),
            JAVA_SHORT.withName("size"),
            JAVA_INT.withName("category"),
            JAVA_INT.withName("colorType"),
            JAVA_INT.withName("color"),
            JAVA_INT.withName("payloadType"),
            JAVA_INT.withName("reserved0"),
            JAVA_LONG.withName("payload"),
            JAVA_INT.withName("messageType"),
            MemoryLayout.paddingLayout(4),
            ADDRESS.withName("message"));

    private static final short VERSION = 2;
    private static final int COLOR_ARGB = 1;
    private static final int MESSAGE_ASCII = 1;
    private static final int MESSAGE_REGISTERED = 3;

    /** By category. */
    private static final int[] COLORS = {
        0xff4e79a7, 0xffbab0ac, 0xffb07aa1, 0xff59a14f, 0xfff28e2b, 0xffe15759, 0xff76b7b2
    };

    private static final VarHandle CATEGORY = field("category");
    private static final VarHandle COLOR = field("color");
    private static final VarHandle MESSAGE_TYPE = field("messageType");
    private static final VarHandle MESSAGE = field("message");
    private static final int MOST_CHARACTERS = 255;

    private final SymbolLookup library;
    private final MemorySegment domain;
    private final MethodHandle push;
    private final MethodHandle pop;
    private final MethodHandle register;
    private final MethodHandle nameThread;
    private final MethodHandle nameStream;
    private final MethodHandle nameContext;
    private final MethodHandle threadId;
    private final Map<String, MemorySegment> registered = new ConcurrentHashMap<>();
    private final ThreadLocal<MemorySegment> attributes = ThreadLocal.withInitial(Nvtx::prepared);
    private final ThreadLocal<MemorySegment> text =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(MOST_CHARACTERS + 1));

    private Nvtx(SymbolLookup library) {
        this.library = library;
        push = function("nvtxDomainRangePushEx", JAVA_INT, ADDRESS, ADDRESS);
        pop = function("nvtxDomainRangePop", JAVA_INT, ADDRESS);
        register = function("nvtxDomainRegisterStringA", ADDRESS, ADDRESS, ADDRESS);
        nameThread = action("nvtxNameOsThreadA", JAVA_INT, ADDRESS);
        nameStream = action("nvtxNameCuStreamA", JAVA_LONG, ADDRESS);
        nameContext = action("nvtxNameCuContextA", JAVA_LONG, ADDRESS);
        threadId = Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().findOrThrow("gettid"), FunctionDescriptor.of(JAVA_INT));
        MethodHandle create = function("nvtxDomainCreateA", ADDRESS, ADDRESS);
        MethodHandle nameCategory = action("nvtxDomainNameCategoryA", ADDRESS, JAVA_INT, ADDRESS);
        try (Arena arena = Arena.ofConfined()) {
            domain = (MemorySegment) create.invokeExact(arena.allocateFrom(DOMAIN));
            for (Category category : Category.values()) {
                nameCategory.invokeExact(domain, number(category), arena.allocateFrom(category.text()));
            }
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Where it is there and whole. */
    static Optional<Nvtx> open() {
        return NvtxLibrary.open().flatMap(library -> {
            try {
                return Optional.of(new Nvtx(library));
            } catch (NoSuchElementException e) { // it lacks a function
                return Optional.empty();
            }
        });
    }

    private MethodHandle function(String name, MemoryLayout result, MemoryLayout... parameters) {
        return Linker.nativeLinker()
                .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(result, parameters));
    }

    private MethodHandle action(String name, MemoryLayout... parameters) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), FunctionDescriptor.ofVoid(parameters));
    }

    private static VarHandle field(String name) {
        return ATTRIBUTES.varHandle(PathElement.groupElement(name));
    }

    private static int number(Category category) {
        return category.ordinal() + 1; // 0 is none
    }

    private static MemorySegment prepared() {
        MemorySegment attributes = Arena.ofAuto().allocate(ATTRIBUTES);
        field("version").set(attributes, 0L, VERSION);
        field("size").set(attributes, 0L, (short) ATTRIBUTES.byteSize());
        field("colorType").set(attributes, 0L, COLOR_ARGB);
        return attributes;
    }

    void push(Category category, String name, boolean recurs) {
        MemorySegment of = attributes.get();
        CATEGORY.set(of, 0L, number(category));
        COLOR.set(of, 0L, COLORS[category.ordinal()]);
        MESSAGE_TYPE.set(of, 0L, recurs ? MESSAGE_REGISTERED : MESSAGE_ASCII);
        MESSAGE.set(of, 0L, recurs ? registered.computeIfAbsent(name, this::register) : ascii(name));
        try {
            int _ = (int) push.invokeExact(domain, of);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void pop() {
        try {
            int _ = (int) pop.invokeExact(domain);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private MemorySegment register(String name) {
        try {
            return (MemorySegment) register.invokeExact(domain, ascii(name));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void nameThread(String name) {
        try {
            nameThread.invokeExact((int) threadId.invokeExact(), ascii(name));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void nameStream(long stream, String name) {
        try {
            nameStream.invokeExact(stream, ascii(name));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void nameContext(long context, String name) {
        try {
            nameContext.invokeExact(context, ascii(name));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** This thread's text, until the next; cut where it is very long. */
    private MemorySegment ascii(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        byte[] cut = bytes.length > MOST_CHARACTERS ? Arrays.copyOf(bytes, MOST_CHARACTERS) : bytes;
        MemorySegment segment = text.get();
        MemorySegment.copy(cut, 0, segment, ValueLayout.JAVA_BYTE, 0, cut.length);
        segment.set(ValueLayout.JAVA_BYTE, cut.length, (byte) 0);
        return segment;
    }

    /** What an invokeExact that cannot throw, but must declare to, threw. */
    private static IllegalStateException unexpected(Throwable throwable) {
        return new IllegalStateException(throwable);
    }
}
