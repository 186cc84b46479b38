public class Wrong {
  public static void main(String[] args) {
    String text = 42;
  }
}
