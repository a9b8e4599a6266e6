package plateau.cuda.load;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A file of the class path as the build made it. What is read of it is checked as it is read.
 *
 * @param resource its absolute name on the class path
 * @param sha256 of its bytes
 * @param size in bytes
 */
record NativeFile(String resource, String sha256, long size) {
    /** Of the largest library 93 MB pass through this, and never more than it is on the heap. */
    private static final int BUFFER = 1 << 16;

    /**
     * The file with that name, taken for what it is now.
     *
     * @throws NativeFileException if there is none
     */
    static NativeFile measured(String resource) {
        try (DigestInputStream in = new DigestInputStream(open(resource), digest())) {
            long size = in.transferTo(OutputStream.nullOutputStream());
            return new NativeFile(resource, text(in.getMessageDigest()), size);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * All of it.
     *
     * @throws NativeFileException if it is not what the build made
     */
    byte[] read() {
        try (InputStream in = open(resource)) {
            byte[] bytes = in.readAllBytes();
            require(bytes.length, text(digest(bytes)));
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes all of it.
     *
     * @throws NativeFileException if it is not what the build made
     */
    void copyTo(OutputStream out) throws IOException {
        try (DigestInputStream in = new DigestInputStream(open(resource), digest())) {
            long copied = in.transferTo(out);
            require(copied, text(in.getMessageDigest()));
        }
    }

    /** Whether that is a copy of it; reads to the end. */
    boolean isCopiedBy(InputStream copy) throws IOException {
        MessageDigest digest = digest();
        byte[] buffer = new byte[BUFFER];
        for (int count = copy.read(buffer); count >= 0; count = copy.read(buffer)) {
            digest.update(buffer, 0, count);
        }
        return text(digest).equals(sha256);
    }

    private void require(long foundSize, String foundSha256) {
        if (foundSize != size || !foundSha256.equals(sha256)) {
            throw new NativeFileException(
                    resource + " is damaged: it is not what the build made; build or download the program again");
        }
    }

    private static InputStream open(String resource) {
        InputStream in = NativeFile.class.getResourceAsStream(resource);
        if (in == null) {
            throw new NativeFileException(resource + " is not part of this build; run: mvn -B package");
        }
        return in;
    }

    private static MessageDigest digest(byte... bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(bytes);
            return digest;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** As the cache names a list of files. */
    static String sha256(byte[] bytes) {
        return text(digest(bytes));
    }
}
