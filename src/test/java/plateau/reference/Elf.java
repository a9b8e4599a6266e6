package plateau.reference;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a 64-bit little-endian ELF file asks the loader for, and what it offers: dynamic symbols and
 * their versions, by its section headers (System V ABI; LSB, "Symbol Versioning").
 */
public final class Elf {
    private static final int MAGIC = 0x464c457f;
    private static final int DYNAMIC = 6;
    private static final int DYNAMIC_SYMBOLS = 11;
    private static final int VERSIONS_DEFINED = 0x6ffffffd;
    private static final int VERSIONS_NEEDED = 0x6ffffffe;
    private static final int VERSIONS_OF_SYMBOLS = 0x6fffffff;
    private static final long NEEDED = 1;
    private static final int HIDDEN_VERSION = 0x8000;

    private final ByteBuffer file;
    private final List<Section> sections = new ArrayList<>();

    private record Section(int type, long offset, long size, int link, long information) {}

    /**
     * A dynamic symbol.
     *
     * @param name of the function or variable
     * @param version of its library's that it has, or is asked for with; empty for none
     * @param isDefined whether this file offers it; else it asks for it
     */
    public record Symbol(String name, String version, boolean isDefined) {}

    /** Of a whole file. */
    public Elf(ByteBuffer file) {
        this.file = file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        long headers = this.file.getLong(0x28);
        int size = this.file.getShort(0x3a);
        int count = this.file.getShort(0x3c);
        for (int i = 0; i < count; i++) {
            int at = Math.toIntExact(headers + (long) i * size);
            sections.add(new Section(
                    this.file.getInt(at + 4),
                    this.file.getLong(at + 0x18),
                    this.file.getLong(at + 0x20),
                    this.file.getInt(at + 0x28),
                    this.file.getInt(at + 0x2c)));
        }
    }

    /** Whether bytes are an ELF file for x86-64. */
    public static boolean isX86(ByteBuffer bytes) {
        ByteBuffer file = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        return file.remaining() >= 64
                && file.getInt(0) == MAGIC
                && file.get(4) == 2
                && file.getShort(0x12) == 62
                && file.getShort(0x10) == 3;
    }

    private Optional<Section> section(int type) {
        return sections.stream().filter(section -> section.type == type).findFirst();
    }

    private String text(int table, long at) {
        int from = Math.toIntExact(sections.get(table).offset + at);
        int to = from;
        while (file.get(to) != 0) {
            to++;
        }
        byte[] bytes = new byte[to - from];
        file.get(from, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** The libraries that are loaded with it, by their names. */
    public List<String> libraries() {
        List<String> names = new ArrayList<>();
        section(DYNAMIC).ifPresent(dynamic -> {
            for (long at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
                if (file.getLong((int) at) == NEEDED) {
                    names.add(text(dynamic.link, file.getLong((int) at + 8)));
                }
            }
        });
        return names;
    }

    /**
     * The versions that its libraries must have, for example GLIBC_2.34, whatever symbol it is for.
     */
    public List<String> neededVersions() {
        return List.copyOf(neededByIndex().values());
    }

    private Map<Integer, String> neededByIndex() {
        Map<Integer, String> names = new HashMap<>();
        section(VERSIONS_NEEDED).ifPresent(needed -> {
            int library = (int) needed.offset;
            for (long i = 0; i < needed.information; i++) {
                int version = library + file.getInt(library + 8);
                for (int j = 0; j < file.getShort(library + 2); j++) {
                    names.put(
                            file.getShort(version + 6) & ~HIDDEN_VERSION, text(needed.link, file.getInt(version + 8)));
                    version += file.getInt(version + 12);
                }
                library += file.getInt(library + 12);
            }
        });
        return names;
    }

    private Map<Integer, String> definedByIndex() {
        Map<Integer, String> names = new HashMap<>();
        section(VERSIONS_DEFINED).ifPresent(defined -> {
            int version = (int) defined.offset;
            for (long i = 0; i < defined.information; i++) {
                int name = version + file.getInt(version + 12);
                names.put(file.getShort(version + 4) & ~HIDDEN_VERSION, text(defined.link, file.getInt(name)));
                version += file.getInt(version + 16);
            }
        });
        return names;
    }

    /** All dynamic symbols that are not local. */
    public List<Symbol> symbols() {
        Map<Integer, String> versions = neededByIndex();
        versions.putAll(definedByIndex());
        Optional<Section> indices = section(VERSIONS_OF_SYMBOLS);
        Section table = section(DYNAMIC_SYMBOLS).orElseThrow();
        List<Symbol> symbols = new ArrayList<>();
        for (int i = 1; i < table.size / 24; i++) {
            int at = (int) table.offset + 24 * i;
            int symbol = i;
            int version = indices.map(found -> (int) file.getShort((int) found.offset + 2 * symbol))
                            .orElse(1)
                    & ~HIDDEN_VERSION;
            boolean isDefined = file.getShort(at + 6) != 0;
            if (version != 0 || !isDefined) { // one that is asked for without a version has 0, too
                symbols.add(
                        new Symbol(text(table.link, file.getInt(at)), versions.getOrDefault(version, ""), isDefined));
            }
        }
        return symbols;
    }
}
