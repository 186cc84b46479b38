import java.util.Scanner;

public class Stdin {
  public static void main(String[] args) {
    Scanner scanner = new Scanner(System.in);
    String title = scanner.nextLine();
    long count = 0, sum = 0;
    while (scanner.hasNextLong()) {
      sum += scanner.nextLong();
      ++count;
    }
    System.out.printf("%s: %d numbers, sum %d%n", title, count, sum);
  }
}
