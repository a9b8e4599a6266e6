package plateau.cuda.load;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What can be told of a kernel image from its own header. */
public final class KernelImage {
    /**
     * A fatbin begins with this, a version and the header's size (16 bits each) and the size of
     * what follows (64 bits): CUDA's fatbinary_section.h.
     */
    private static final int FATBIN_MAGIC = 0xba55ed50;

    private static final int FATBIN_HEADER = 16;

    private KernelImage() {}

    /**
     * Checks that an image is all there: the driver's cuModuleLoadData is not told its size, so a
     * truncated one must not get that far.
     *
     * @param name the module, for the message
     * @param image an ELF shared object, a fatbin or PTX
     * @throws NativeFileException if its header tells of more bytes than there are
     */
    public static void requireWhole(String name, byte[] image) {
        ByteBuffer header = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        boolean fatbin = image.length >= FATBIN_HEADER && header.getInt(0) == FATBIN_MAGIC;
        boolean elf = image.length >= 64 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' && image[3] == 'F';
        boolean text = image.length > 0 && (image[0] == '/' || image[0] == '.');
        if (fatbin) {
            requireLength(name, image, header.getShort(6) + header.getLong(8));
        } else if (elf) {
            requireLength(name, image, header.getLong(0x28) + (long) header.getShort(0x3a) * header.getShort(0x3c));
        } else if (!text && image.length < 64) {
            throw truncated(name, image.length + " bytes");
        }
    }

    private static void requireLength(String name, byte[] image, long whole) {
        if (image.length < whole) {
            throw truncated(name, image.length + " of " + whole + " bytes");
        }
    }

    private static NativeFileException truncated(String name, String size) {
        return new NativeFileException(
                "the kernel image '" + name + "' is truncated: " + size + "; build or download the program again");
    }
}
