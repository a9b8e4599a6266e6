package plateau.experiment;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says of a component of an experiment's options what a reader needs to choose its value. Its
 * default stands in the record's constructor, which puts it where it is given null, and nowhere
 * else.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Option {

    /** As it is typed and written; by default the component's name, in lower case, with hyphens. */
    String name() default "";

    /** What stands for a value in a description: {@code RATE}. */
    String symbol() default "N";

    /** What the value is, in a few words. */
    String text();

    /**
     * Where runs of a campaign differ in this option: its values, unless others are asked for.
     * Empty: they do not.
     */
    String[] each() default {};

    /** Whether the values of {@link #each} are typed without the option's name. */
    boolean main() default false;
}
