// Files, text, numbers, dates, hashes, random numbers, reflection, local sockets, garbage.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.RandomAccessFile;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Signature;
import java.text.Collator;
import java.text.NumberFormat;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipOutputStream;
import javax.crypto.Cipher;
import javax.crypto.KeyGenerator;
import javax.xml.parsers.DocumentBuilderFactory;

public class Library {
  record Point(int x, int y) implements Serializable {}

  sealed interface Shape permits Circle, Square {}

  record Circle(double radius) implements Shape {}

  record Square(double side) implements Shape {}

  static void check(boolean condition) {
    if (!condition) {
      throw new AssertionError("not so");
    }
  }

  static void files() throws Exception {
    Path root = Files.createTempDirectory("tree");
    check(root.startsWith("/tmp"));
    Files.createDirectories(root.resolve("deep/er"));
    Path text = Files.writeString(root.resolve("a.txt"), "zeile\n".repeat(20_000));
    Files.copy(text, root.resolve("b.txt"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.move(root.resolve("b.txt"), root.resolve("c.txt"), StandardCopyOption.ATOMIC_MOVE);
    Files.createSymbolicLink(root.resolve("link"), Path.of("a.txt"));
    Files.createLink(root.resolve("hard"), text);
    Files.setPosixFilePermissions(text, PosixFilePermissions.fromString("rw-r-----"));
    Files.setLastModifiedTime(text, FileTime.fromMillis(2000));
    check(Files.getLastModifiedTime(text).toMillis() == 2000 && Files.size(text) == 120_000 && Files.isSymbolicLink(root.resolve("link")));
    check(root.resolve("link").toRealPath().equals(text) && Files.readAllLines(text).size() == 20_000 && Files.isWritable(root) && !Files.isWritable(Path.of("/usr")));
    try (Stream<Path> walked = Files.walk(root, FileVisitOption.FOLLOW_LINKS)) {
      check(walked.count() == 7);
    }
    try (RandomAccessFile file = new RandomAccessFile(root.resolve("data").toFile(), "rw"); FileChannel channel = file.getChannel()) {
      file.write("hello world".getBytes());
      ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 11);
      check(mapped.get(6) == 'w' && channel.lock() != null);
      channel.force(true);
      file.setLength(5);
      try (FileChannel target = FileChannel.open(root.resolve("copy"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        check(channel.transferTo(0, 5, target) == 5);
      }
    }
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(Files.readAllBytes(text));
    }
    check(new GZIPInputStream(new ByteArrayInputStream(packed.toByteArray())).readAllBytes().length == 120_000);
    new ZipOutputStream(Files.newOutputStream(root.resolve("z.zip"))).close();
    check(root.toFile().getUsableSpace() > 0);
    try (Stream<Path> walked = Files.walk(root)) {
      walked.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    }
    check(!Files.exists(root));
  }

  static void sockets() throws Exception {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of("/tmp/server");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(address);
      try (SocketChannel client = SocketChannel.open(address); SocketChannel accepted = server.accept()) {
        client.write(ByteBuffer.wrap("local".getBytes()));
        ByteBuffer got = ByteBuffer.allocate(16);
        check(accepted.read(got) == 5);
      }
    }
  }

  static double area(Shape shape) {
    if (shape instanceof Circle circle) {
      return Math.PI * circle.radius() * circle.radius();
    }
    return shape instanceof Square square ? square.side() * square.side() : 0;
  }

  static int deep(int n) {
    return n == 0 ? 0 : 1 + deep(n - 1);
  }

  public static void main(String[] args) throws Exception {
    files();
    sockets();
    check(Pattern.compile("(\\w+)@(?<place>\\w+)").matcher("me@home you@work").replaceAll("${place} at $1").equals("home at me work at you"));
    check("ü".toUpperCase(Locale.GERMAN).equals("Ü") && String.format(Locale.ROOT, "%05.1f|%-4s|%x", 3.14159, "ab", 255).equals("003.1|ab  |ff"));
    check(NumberFormat.getInstance(Locale.GERMANY).format(1234567.89).equals("1.234.567,89") && Collator.getInstance(Locale.GERMAN).compare("ä", "z") < 0);
    check(BigInteger.TWO.pow(5000).mod(BigInteger.valueOf(1_000_007)).equals(BigInteger.TWO.modPow(BigInteger.valueOf(5000), BigInteger.valueOf(1_000_007))));
    check(new BigDecimal("0.1").multiply(BigDecimal.valueOf(3)).equals(new BigDecimal("0.3")) && Math.abs(area(new Circle(1)) - Math.PI) < 1e-9);
    ZonedDateTime berlin = ZonedDateTime.of(2024, 7, 1, 10, 0, 0, 0, ZoneId.of("UTC")).withZoneSameInstant(ZoneId.of("Europe/Berlin"));
    check(berlin.format(DateTimeFormatter.ofPattern("EEEE HH:mm z", Locale.US)).equals("Monday 12:00 CEST") && LocalDate.of(2024, 2, 28).plusDays(2).getDayOfMonth() == 1);
    check(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest()).startsWith("e3b0c442"));
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPrivate());
    signature.update(new byte[4]);
    check(signature.sign().length == 64);
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(Cipher.ENCRYPT_MODE, KeyGenerator.getInstance("AES").generateKey());
    check(cipher.doFinal("secret".getBytes(StandardCharsets.UTF_8)).length == 22 && new SecureRandom().nextInt(6) < 6 && !UUID.randomUUID().equals(UUID.randomUUID()));
    check(new String(Base64.getDecoder().decode(Base64.getEncoder().encode("x".getBytes()))).equals("x"));
    check(DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream("<a b='1'/>".getBytes())).getDocumentElement().getAttribute("b").equals("1"));

    double[] values = new Random(1).doubles(500_000).toArray();
    Arrays.parallelSort(values);
    check(values[0] <= values[values.length - 1]);
    Map<Integer, Long> counts = Arrays.stream(values).boxed().collect(Collectors.groupingBy(value -> (int) (value * 10), TreeMap::new, Collectors.counting()));
    check(counts.size() == 10 && List.of(3, 1, 2).stream().sorted().map(Object::toString).collect(Collectors.joining(",")).equals("1,2,3"));
    ByteArrayOutputStream stored = new ByteArrayOutputStream();
    new ObjectOutputStream(stored).writeObject(new Point(1, 2));
    check(new ObjectInputStream(new ByteArrayInputStream(stored.toByteArray())).readObject().equals(new Point(1, 2)));
    check(Library.class.getDeclaredMethod("deep", int.class).invoke(null, 10).equals(10) && Point.class.getRecordComponents().length == 2);
    for (int i = 0; i < 2000; ++i) {
      byte[] garbage = new byte[1 << 20];
      garbage[i] = 1;
    }
    System.gc();
    check(ManagementFactory.getRuntimeMXBean().getUptime() > 0 && ManagementFactory.getThreadMXBean().getThreadCount() > 0);
    check(ManagementFactory.getOperatingSystemMXBean().getAvailableProcessors() == 1 && deep(5000) == 5000);
    boolean overflowed = false;
    try {
      deep(100_000_000);
    } catch (StackOverflowError expected) {
      overflowed = true;
    }
    check(overflowed && InetAddress.getByName("127.0.0.1").isLoopbackAddress() && System.getProperty("user.name").equals("box"));
    Function<Integer, Integer> twice = n -> n * 2;
    check(twice.andThen(twice).apply(3) == 12 && System.getProperty("user.dir").equals("/box") && System.console() == null);
    System.out.println("ok");
  }
}
