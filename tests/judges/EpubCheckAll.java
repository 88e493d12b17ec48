// Checks all books named with epubcheck, in one JVM: one message a line, usage notes included. Exits 1 when there is any.
import com.adobe.epubcheck.api.EpubCheck;
import com.adobe.epubcheck.api.EPUBLocation;
import com.adobe.epubcheck.messages.Message;
import com.adobe.epubcheck.util.DefaultReportImpl;
import java.io.File;

public class EpubCheckAll {
    static int messages = 0;

    public static void main(String[] books) {
        for (String book : books) {
            DefaultReportImpl report = new DefaultReportImpl(book) {
                @Override
                public void message(Message message, EPUBLocation place, Object... arguments) {
                    messages++;
                    System.out.println(book + ": " + message.getSeverity() + " " + message.getID() + " " + place + " "
                            + message.getMessage(arguments));
                }
            };
            new EpubCheck(new File(book), report).doValidate();
        }
        System.out.println(books.length + " books, " + messages + " messages");
        System.exit(messages == 0 && books.length > 0 ? 0 : 1);
    }
}
