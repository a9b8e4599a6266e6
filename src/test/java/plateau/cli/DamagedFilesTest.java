package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import plateau.reference.Seeds;

/**
 * Every file of results, damaged in every way, given to every command that reads it: it is used, or
 * refused in one line that a user understands. {@code -Dplateau.damages=2000} tries more than a
 * few.
 */
class DamagedFilesTest {
    private static final Duration LONGEST = Duration.ofSeconds(60);

    /** How a file comes to harm. */
    private enum Damage {
        CUT {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                return Arrays.copyOf(content, random.nextInt(content.length + 1));
            }
        },
        FLIPPED {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                byte[] damaged = content.clone();
                for (int i = random.nextInt(1, 4); i > 0 && damaged.length > 0; i--) {
                    damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
                }
                return damaged;
            }
        },
        DROPPED {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                List<String> lines = lines(content);
                if (!lines.isEmpty()) {
                    int from = random.nextInt(lines.size());
                    lines.subList(from, Math.min(lines.size(), from + random.nextInt(1, 4)))
                            .clear();
                }
                return bytes(lines);
            }
        },
        TWICE {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                List<String> lines = lines(content);
                if (!lines.isEmpty()) {
                    lines.add(random.nextInt(lines.size()), lines.get(random.nextInt(lines.size())));
                }
                return bytes(lines);
            }
        },
        NUMBERS {
            /** Some number becomes another. */
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                List<String> parts = new ArrayList<>(List.of(
                        new String(content, StandardCharsets.ISO_8859_1).split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)")));
                List<Integer> numbers = new ArrayList<>();
                for (int i = 0; i < parts.size(); i++) {
                    if (!parts.get(i).isEmpty()
                            && Character.isDigit(parts.get(i).charAt(0))) {
                        numbers.add(i);
                    }
                }
                if (!numbers.isEmpty()) {
                    String[] others = {"-1", "0", "", "x", "1e999", "NaN", "9223372036854775807", "99999999999999999999"
                    };
                    parts.set(numbers.get(random.nextInt(numbers.size())), others[random.nextInt(others.length)]);
                }
                return String.join("", parts).getBytes(StandardCharsets.ISO_8859_1);
            }
        },
        WORDS {
            /** Some name or text becomes another kind of value. */
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                String text = new String(content, StandardCharsets.ISO_8859_1);
                String[] parts = text.split("(?=\")|(?<=\")|(?=[,\\[\\]{}:])|(?<=[,\\[\\]{}:])");
                String[] others = {"null", "[]", "{}", "true", "\"\"", "7", "\"..\"", ",", "\"", "[[[["};
                parts[random.nextInt(parts.length)] = others[random.nextInt(others.length)];
                return String.join("", parts).getBytes(StandardCharsets.ISO_8859_1);
            }
        },
        NOISE {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                byte[] noise = new byte[random.nextInt(1, 300)];
                random.nextBytes(noise);
                return noise;
            }
        },
        NESTED {
            /** Deeper than a reader that calls itself can go. */
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                return (random.nextBoolean() ? "[" : "{\"runs\":")
                        .repeat(random.nextInt(500, 100_000))
                        .getBytes(StandardCharsets.US_ASCII);
            }
        },
        EMPTY {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                return new byte[0];
            }
        },
        /** A folder stands in its place. */
        FOLDER {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                return null;
            }
        },
        /** It is not there. */
        GONE {
            @Override
            byte[] of(byte[] content, RandomGenerator random) {
                return null;
            }
        };

        abstract byte[] of(byte[] content, RandomGenerator random);

        private static List<String> lines(byte[] content) {
            return new ArrayList<>(List.of(new String(content, StandardCharsets.ISO_8859_1).split("(?<=\n)")));
        }

        private static byte[] bytes(List<String> lines) {
            return String.join("", lines).getBytes(StandardCharsets.ISO_8859_1);
        }
    }

    /** A command on a folder of results. */
    private enum Reader {
        PLOT("plot", "DIR"),
        COMPARE("compare", "DIR", "WHOLE", "--out", "TARGET"),
        EXPORT("export", "DIR", "--out", "TARGET"),
        RESUME("KIND", "--resume", "DIR", "--device", "cpu"),
        RUN("run", "DIR/run.json", "--device", "cpu", "--out", "TARGET"),
        /** On no device, so that nothing is trained for it. */
        REPRODUCE("reproduce", "--only", "parity", "--device", "cuda:99", "--out", "PARENT"),
        REPLACE("KIND", "--out", "DIR", "--overwrite", "--device", "cpu", "--steps", "3");

        private final List<String> words;

        Reader(String... words) {
            this.words = List.of(words);
        }

        String[] words(String kind, Path results, Path whole, Path target) {
            return words.stream()
                    .map(word -> word.equals("KIND") ? kind : word.equals("WHOLE") ? whole.toString() : word)
                    .map(word -> word.equals("TARGET") ? target.toString() : word)
                    .map(word -> word.equals("PARENT") ? results.getParent().toString() : word)
                    .map(word -> word.replace("DIR", results.toString()))
                    .toArray(String[]::new);
        }
    }

    @TempDir
    Path folder;

    private final Map<String, Path> wholes = new TreeMap<>();

    /** Results of both kinds: with curves and without, finished, and killed on the way. */
    @BeforeEach
    void makeResults() throws IOException {
        make("step", "e2e", "forward-only", "--steps", "30", "--batch", "4", "--log-every", "5");
        make(
                "parity",
                "--d",
                "5",
                "--seeds",
                "2",
                "--steps",
                "30",
                "--batch",
                "4",
                "--log-every",
                "1",
                "--tensorboard");
        Path killed = copy(wholes.get("parity"), folder.resolve("killed"));
        Path description = killed.resolve("run.json");
        Files.writeString(description, Files.readString(description).replace("finished", "running"));
        Files.delete(killed.resolve("metrics.csv"));
        wholes.put("parity ", killed);
    }

    private void make(String kind, String... words) {
        Path out = folder.resolve(kind);
        List<String> line = new ArrayList<>(List.of(kind, "--device", "cpu", "--out", out.toString()));
        line.addAll(List.of(words));
        line.addAll(List.of("--checkpoint-every", "10"));
        Finished.here(line.toArray(String[]::new)).assertOk();
        wholes.put(kind, out);
    }

    @Test
    void aCampaignIsNestedNoDeeperThanItIsRead() throws IOException {
        Path deep = Files.writeString(folder.resolve("deep.json"), "{\"runs\":".repeat(5000));
        Finished.here("run", deep.toString())
                .assertError(ExitCode.USAGE, deep + " is no campaign: it is nested too deeply");
    }

    @Test
    void aDamagedFileIsToldInOneLine(TestReporter reporter) throws Exception {
        int count = Integer.getInteger("plateau.damages", 25);
        Seeds seeds = Seeds.next();
        List<String> wrong = new ArrayList<>();
        int used = 0;
        for (int i = 0; i < count; i++) {
            List<String> kinds = List.copyOf(wholes.keySet());
            String kind = kinds.get(i % kinds.size());
            Path whole = wholes.get(kind);
            Path damaged = copy(whole, folder.resolve("given/parity"));
            List<Path> files = files(damaged);
            Path file = files.get(seeds.random().nextInt(files.size()));
            Damage damage = Damage.values()[i / kinds.size() % Damage.values().length];
            Reader reader = Reader.values()[seeds.random().nextInt(Reader.values().length)];
            damage(file, damage, seeds.random());
            Path target = folder.resolve("target");
            String[] words = reader.words(kind.strip(), damaged, whole, target);
            String what = "%s, %s: %s".formatted(damaged.relativize(file), damage, String.join(" ", words));
            Finished finished = assertTimeoutPreemptively(LONGEST, () -> Finished.here(words), seeds.message(what));
            used += finished.code() == ExitCode.OK ? 1 : 0;
            problem(reader, finished).ifPresent(problem -> wrong.add(what + "\n    " + problem));
            delete(damaged.getParent());
            delete(target);
        }
        reporter.publishEntry("%d files, %d used, %d wrong".formatted(count, used, wrong.size()));
        assertEquals(List.of(), wrong, () -> seeds.message("\n" + String.join("\n", wrong) + "\n"));
    }

    /** What runs that go on say of a checkpoint that cannot be used is a line of its own. */
    private Optional<String> problem(Reader reader, Finished finished) {
        List<String> err = finished.err().stream()
                .filter(line -> !line.endsWith("; going on from the one before it"))
                .toList();
        if (finished.code() == ExitCode.OK) {
            return err.isEmpty() ? Optional.empty() : Optional.of("it went well, but: " + err);
        }
        boolean isCode =
                finished.code() == ExitCode.FAILED || reader == Reader.RUN && finished.code() == ExitCode.USAGE;
        if (!isCode || err.size() != 1 || !err.getFirst().startsWith("plateau: ")) {
            return Optional.of("exit code " + finished.code() + " " + finished.err());
        }
        if (BadCommandLinesTest.PROGRAMMERS_WORDS
                .matcher(err.getFirst().replace("'null'", ""))
                .find()) {
            return Optional.of("not for users: " + err);
        }
        boolean isNamed =
                err.getFirst().contains(folder.toString()) || err.getFirst().contains("cuda:99");
        return isNamed ? Optional.empty() : Optional.of("no file is named: " + err);
    }

    private static void damage(Path file, Damage damage, RandomGenerator random) throws IOException {
        byte[] content = Files.readAllBytes(file);
        Files.delete(file);
        if (damage == Damage.FOLDER) {
            Files.createDirectory(file);
        } else if (damage != Damage.GONE) {
            Files.write(file, damage.of(content, random));
        }
    }

    /** Pictures are not read. */
    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.toString().matches(".*\\.(png|svg)"))
                    .sorted()
                    .toList();
        }
    }

    static Path copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
        return to;
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path each, IOException e) throws IOException {
                Files.delete(each);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
