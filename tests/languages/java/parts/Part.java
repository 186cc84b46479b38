package parts;

public class Part {
  public static int part() {
    return 42;
  }
}
