package plateau.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SequencedMap;
import plateau.experiment.Choice;
import plateau.experiment.Kind;
import plateau.study.Campaign;
import plateau.study.RunSpec;
import plateau.train.Schedule;

/** A campaign as the command line that a person types for it: what is as usual is left out. */
final class TypedLine {
    private TypedLine() {}

    /**
     * The line, without the options of device and folder.
     *
     * @param checkpointEvery steps between checkpoints; empty: none
     */
    static <O extends Record> String of(Campaign<O> campaign, OptionalLong checkpointEvery) {
        Kind<O> kind = campaign.kind();
        List<RunSpec<O>> runs = campaign.runs();
        List<SequencedMap<String, Object>> chosen = runs.stream()
                .map(RunSpec::options)
                .distinct()
                .map(kind.choices()::values)
                .toList();
        List<String> words = new ArrayList<>(List.of("plateau", kind.name()));
        for (Choice choice : kind.choices().all()) {
            List<String> values = chosen.stream()
                    .map(options -> text(options.get(choice.name())))
                    .filter(Objects::nonNull)
                    .distinct()
                    .toList();
            if (isUsual(kind, choice, values, chosen)) {
                continue;
            }
            if (choice.main()) {
                words.addAll(values);
            } else {
                words.add("--" + choice.name());
                words.add(String.join(",", values));
            }
        }
        List<Long> steps =
                runs.stream().map(run -> run.schedule().steps()).distinct().toList();
        if (!kind.stepsFollow()
                && runs.stream().anyMatch(run -> run.schedule().steps() != kind.defaultSteps(run.options()))) {
            words.addAll(List.of("--steps", steps.getFirst().toString()));
        }
        if (runs.getFirst().schedule().logEvery() != Schedule.DEFAULT_LOG_EVERY) {
            words.addAll(List.of(
                    "--log-every", Long.toString(runs.getFirst().schedule().logEvery())));
        }
        checkpointEvery.ifPresent(every -> words.addAll(List.of("--checkpoint-every", Long.toString(every))));
        long first = runs.stream().mapToLong(RunSpec::seed).min().orElseThrow();
        if (first != 1) {
            words.addAll(List.of("--seed", Long.toString(first)));
        }
        if (campaign.seeds() > 1) {
            words.addAll(List.of("--seeds", Long.toString(campaign.seeds())));
        }
        return String.join(" ", words);
    }

    private static <O extends Record> boolean isUsual(
            Kind<O> kind, Choice choice, List<String> values, List<SequencedMap<String, Object>> chosen) {
        if (choice.differs()) {
            return values.equals(choice.each());
        }
        return chosen.stream().allMatch(options -> {
            Map<String, Object> others = new LinkedHashMap<>(options);
            others.remove(choice.name());
            return Objects.equals(
                    options.get(choice.name()),
                    kind.choices().values(kind.options(others)).get(choice.name()));
        });
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }
}
