using System.Text;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Reports;

namespace AgentMesh.Workers.Tests.Reports;

public sealed class ReportScannerTests
{
    private const string Output = "hello\n::progress 10% one\nsome ::progress 99% not at the start\n::progressing\n::progress 20% two\nbye\n::progress 30% unfinished";

    [Fact]
    public void Finds_the_newest_whole_report() => Assert.Equal("two", new ReportScanner().Take(0, Encoding.UTF8.GetBytes(Output))?.Text);

    [Fact]
    public void Finds_the_same_wherever_the_output_is_cut()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Output + "\n");
        for (int size = 1; size <= bytes.Length; size++)
        {
            var scanner = new ReportScanner();
            var found = new List<string>();
            for (int at = 0; at < bytes.Length; at += size)
            {
                if (scanner.Take(at, bytes.AsSpan(at, Math.Min(size, bytes.Length - at))) is { } report)
                {
                    found.Add(report.Text);
                }
            }

            Assert.Equal("unfinished", found[^1]);
            Assert.All(found, text => Assert.Contains(text, (string[])["one", "two", "unfinished"]));
            if (size <= 10)
            {
                Assert.Equal(["one", "two", "unfinished"], found);
            }
        }
    }

    [Fact]
    public void Output_that_is_read_again_counts_once()
    {
        byte[] bytes = "::progress 10% one\n"u8.ToArray();
        var scanner = new ReportScanner();
        Assert.NotNull(scanner.Take(0, bytes));
        Assert.Null(scanner.Take(0, bytes));
        Assert.Equal("two", scanner.Take(0, [.. bytes, .. "::progress 20% two\n"u8])?.Text);
    }

    [Fact]
    public void After_a_gap_it_waits_for_the_next_line()
    {
        var scanner = new ReportScanner();
        Assert.Null(scanner.Take(0, "::progress 1"u8));
        Assert.Null(scanner.Take(100, "0% of what?\n"u8));
        Assert.Equal(0.5, scanner.Take(112, "::progress 50%\n"u8)?.Fraction);
    }

    [Fact]
    public void A_line_without_end_is_bounded()
    {
        var scanner = new ReportScanner();
        Assert.Null(scanner.Take(0, "::progress 10% "u8));
        byte[] more = new byte[4096];
        Array.Fill(more, (byte)'x');
        long at = 15;
        for (int i = 0; i < 100; i++, at += more.Length)
        {
            Assert.Null(scanner.Take(at, more));
        }

        Progress? report = scanner.Take(at, "\n"u8);
        Assert.Equal(0.1, report?.Fraction);
        Assert.Equal(Progress.TextLengthMax, report!.Text.Length);
    }
}
