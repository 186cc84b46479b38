public class ExitCode {
  public static void main(String[] args) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("leaving")));
    System.exit(7);
  }
}
