package plateau.cuda;

import java.util.List;

/** One or several asynchronous operations, prepared once and enqueued many times. */
public interface Work {

    /**
     * Enqueues the operations on the stream, or captures them where it is capturing. Allocates
     * nothing.
     */
    void enqueue(Stream stream);

    /** What it is, for profiles and messages: a kernel's name, or that of the whole. */
    String name();

    /** What it has to do at the least. */
    default Cost cost() {
        return Cost.NONE;
    }

    /** Whether it can be done for the replicas of several runs at once, for each as alone. */
    default boolean inReplicas() {
        return true;
    }

    /** The single operations this consists of, in order. */
    default List<Work> parts() {
        return List.of(this);
    }

    /** Several after one another. */
    static Work sequence(String name, List<? extends Work> works) {
        List<Work> parts = works.stream().flatMap(work -> work.parts().stream()).toList();
        return new Work() {
            @Override
            public void enqueue(Stream stream) {
                for (int i = 0; i < parts.size(); i++) {
                    parts.get(i).enqueue(stream);
                }
            }

            @Override
            public String name() {
                return name;
            }

            @Override
            public Cost cost() {
                return parts.stream().map(Work::cost).reduce(Cost.NONE, Cost::plus);
            }

            @Override
            public boolean inReplicas() {
                return parts.stream().allMatch(Work::inReplicas);
            }

            @Override
            public List<Work> parts() {
                return parts;
            }
        };
    }
}
