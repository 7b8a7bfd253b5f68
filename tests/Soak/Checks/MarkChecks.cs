using System.Globalization;

namespace Soak.Checks;

/// <summary>What programs wrote into files of their own: what really ran, whatever the mesh says of it.</summary>
internal static class MarkChecks
{
    public static void Run(Board board, string folder, string group, int most)
    {
        foreach (string file in Directory.GetFiles(folder))
        {
            Mark[] marks = [.. File.ReadLines(file).Select(Mark.Parse)];
            string name = Path.GetFileName(file);
            foreach (var begun in marks.Where(mark => mark.IsBegin).GroupBy(mark => (mark.Job, mark.Attempt)))
            {
                board.Check("no attempt was run twice", begun.Count() == 1, () => $"{name}: {begun.Key.Job} attempt {begun.Key.Attempt} {begun.Count()} times");
            }

            if (name.StartsWith(group + "-", StringComparison.Ordinal))
            {
                (int atOnce, string jobs) = AtOnce(marks);
                board.Check("a group never runs more than its limit", atOnce <= most, () => $"{name}: {atOnce} at once: {jobs}");
            }
        }
    }

    /// <summary>The most jobs whose programs ran at one moment. One that was killed says nothing of its end, and is left out.</summary>
    public static (int Jobs, string Names) AtOnce(IReadOnlyList<Mark> marks)
    {
        (string Job, long From, long To)[] ran =
            [.. from begin in marks where begin.IsBegin join end in marks.Where(mark => !mark.IsBegin) on (begin.Job, begin.Attempt) equals (end.Job, end.Attempt) select (begin.Job, begin.At, end.At)];
        return ran.Select(one => ran.Where(other => other.From <= one.From && one.From < other.To).Select(other => other.Job).Distinct(StringComparer.Ordinal).ToArray())
            .Select(jobs => (jobs.Length, string.Join(", ", jobs))).DefaultIfEmpty((0, "")).MaxBy(each => each.Item1);
    }
}

/// <param name="At">Nanoseconds of the machine's clock.</param>
internal readonly record struct Mark(bool IsBegin, string Job, int Attempt, long At)
{
    public static Mark Parse(string line)
    {
        string[] words = line.Split(' ');
        return new Mark(words[0] == "+", words[1], int.Parse(words[2], CultureInfo.InvariantCulture), long.Parse(words[3], CultureInfo.InvariantCulture));
    }
}
