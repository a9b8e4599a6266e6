package plateau.report.paper;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.study.Campaign;
import plateau.study.Grid;
import plateau.study.Routing;
import plateau.study.Seeds;
import plateau.train.Schedule;

/**
 * A campaign that a section needs the results of.
 *
 * @param folder where they go, below the report's
 * @param campaign what is run
 * @param checkpointEvery steps between checkpoints, for runs that take long; empty: none
 */
public record Task(String folder, Campaign<?> campaign, OptionalLong checkpointEvery) {

    /** A task of a kind of experiment, whose options have their defaults until they are named. */
    static Draft of(String folder, String kind, Seeds seeds) {
        return new Draft(folder, kind, seeds);
    }

    /** A task that is being put together. */
    static final class Draft {
        private final String folder;
        private final Kind<?> kind;
        private final Seeds seeds;
        private final Map<String, List<?>> values = new LinkedHashMap<>();
        private OptionalLong steps = OptionalLong.empty();
        private OptionalLong checkpointEvery = OptionalLong.empty();
        private long logEvery = Schedule.DEFAULT_LOG_EVERY;

        private Draft(String folder, String kind, Seeds seeds) {
            this.folder = folder;
            this.kind = Kinds.named(kind);
            this.seeds = seeds;
        }

        /** Names an option's value, or values. */
        Draft with(String option, Object... each) {
            values.put(option, new ArrayList<>(List.of(each)));
            return this;
        }

        /** Names the steps of each run. */
        Draft steps(long count) {
            steps = OptionalLong.of(count);
            return this;
        }

        /** Names the steps between two rows. */
        Draft logEvery(long count) {
            logEvery = count;
            return this;
        }

        /** Asks for checkpoints. */
        Draft checkpointEvery(long count) {
            checkpointEvery = OptionalLong.of(count);
            return this;
        }

        /** The task, with these libraries or kernels. */
        Task task(Routing routing) {
            return new Task(folder, campaign(kind, routing), checkpointEvery);
        }

        private <O extends Record> Campaign<O> campaign(Kind<O> of, Routing routing) {
            return Campaign.of(new Grid<>(of, values, steps, logEvery, seeds), routing);
        }
    }
}
