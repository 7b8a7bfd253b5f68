using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Tests.Arrays;

public sealed class ArrayInputTests
{
    [Theory]
    [InlineData("0-3", "0 1 2 3", null)]
    [InlineData("7", "7", null)]
    [InlineData("0-9:3", "0 3 6 9", null)]
    [InlineData("1,5,10-12%2", "1 5 10 11 12", 2)]
    [InlineData("3,1-4", "3 1 2 4", null)]
    [InlineData("5-5%1000", "5", 1000)]
    public void A_range_is_its_numbers_each_once(string text, string numbers, int? parallel)
    {
        ArrayRange range = ArrayRange.Parse(text);
        Assert.Equal((numbers, parallel), (string.Join(' ', range.Items.Cells), range.Parallel));
        Assert.True(range.Items.IsRange && range.Items.IsSound());
    }

    [Theory]
    [InlineData("", 1, "a number is expected")]
    [InlineData("a", 1, "a number is expected")]
    [InlineData("1,", 3, "a number is expected")]
    [InlineData("1-", 3, "a number is expected")]
    [InlineData("-3", 1, "a number is expected")]
    [InlineData("5-3", 3, "3 is below 5")]
    [InlineData("0-9:0", 5, "a step is 1 or more")]
    [InlineData("0-9%0", 5, "1 to 1000 elements")]
    [InlineData("0-9%1001", 5, "1 to 1000 elements")]
    [InlineData("0-9%", 5, "a number is expected")]
    [InlineData("0-9 ", 4, "' ' is not expected here")]
    [InlineData("0-9%3,4", 6, "',' is not expected here")]
    [InlineData("99999999999", 1, "a number is below")]
    [InlineData("2147483647", 1, "a number is below")]
    public void A_wrong_range_is_refused_with_its_position(string text, int position, string what)
    {
        MeshException error = Assert.Throws<MeshException>(() => ArrayRange.Parse(text));
        Assert.Equal(MeshErrors.ArraySyntax, error.Code);
        Assert.StartsWith($"position {position}: {what}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0-100000")]
    [InlineData("0-2147483646")]
    [InlineData("0-60000,100000-160000")]
    public void An_array_has_a_bound(string text) => Assert.Equal(MeshErrors.ArrayTooLarge, Assert.Throws<MeshException>(() => ArrayRange.Parse(text)).Code);

    [Theory]
    [InlineData("a,b\n1,2\n", "a b", "1|2")]
    [InlineData("a,b\r\n1,2\r\n3,4", "a b", "1|2|3|4")]
    [InlineData("\uFEFFa\n\n1\n\n", "a", "1")]
    [InlineData("a,b\n\"x, \"\"y\"\"\",\"two\nlines\"\n", "a b", "x, \"y\"|two\nlines")]
    [InlineData("a,b\n ,\n", "a b", " |")]
    [InlineData("a\n\"\"\n", "a", "")]
    [InlineData("a\nx\ry\n", "a", "x\ry")]
    public void A_table_is_read_as_it_was_written(string text, string names, string cells)
    {
        ArrayItems items = ParameterTable.Parse(text, "grid.csv");
        Assert.Equal((names, cells), (string.Join(' ', items.Names), string.Join('|', items.Cells)));
        Assert.True(items.IsSound());
    }

    [Theory]
    [InlineData("", 1, 1, "it is empty")]
    [InlineData("\n\n", 1, 1, "it is empty")]
    [InlineData("a,b\n", 2, 1, "there is no row")]
    [InlineData("a,,b\n", 1, 3, "'' is no name")]
    [InlineData("a,1b\n", 1, 3, "'1b' is no name")]
    [InlineData("a,b,a\n1,2,3\n", 1, 5, "the name 'a' is there twice")]
    [InlineData("a,b\n1\n", 2, 1, "1 value, where the first line has 2 names")]
    [InlineData("a,b\n1,2\n1,2,3\n", 3, 5, "3 values")]
    [InlineData("a\n\"x\n", 2, 1, "the quote is not closed")]
    [InlineData("a,b\n1,\"x\ny\n", 2, 3, "the quote is not closed")]
    [InlineData("a,b\n\"x\"y,1\n", 2, 4, "'y' after the quote that ends a value")]
    [InlineData("a,b\n\"l\n\"z,1\n", 3, 2, "'z' after the quote")]
    [InlineData("a,b\nx\"y,1\n", 2, 2, "a quote in the middle of a value")]
    [InlineData("a\nx\0\n", 2, 2, "a zero byte")]
    public void A_wrong_table_is_refused_with_line_and_column(string text, int line, int column, string what)
    {
        MeshException error = Assert.Throws<MeshException>(() => ParameterTable.Parse(text, "grid.csv"));
        Assert.Equal(MeshErrors.ParameterFile, error.Code);
        Assert.StartsWith($"grid.csv, line {line}, column {column}: {what}", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.NextStep!);
    }

    [Fact]
    public void A_table_has_bounds()
    {
        Assert.Equal(MeshErrors.ArrayTooLarge, Refused("a\n" + string.Concat(Enumerable.Repeat("1\n", ArrayItems.CountMax + 1))));
        Assert.Equal(MeshErrors.ArrayTooLarge, Refused("a\n" + new string('x', ArrayItems.CharactersMax)));
        Assert.Equal(MeshErrors.ParameterFile, Refused(string.Join(',', Enumerable.Range(0, 101).Select(i => $"n{i}")) + "\n1\n"));
        Assert.Equal(ArrayItems.CountMax, ParameterTable.Parse("a\n" + string.Concat(Enumerable.Repeat("1\n", ArrayItems.CountMax)), "x").Count);
    }

    [Theory]
    [InlineData("--lr={lr}", "--lr=0.1")]
    [InlineData("{lr}{seed}", "0.1a b")]
    [InlineData("run {#}", "run 2")]
    [InlineData("{{lr}} {lr}", "{lr} 0.1")]
    [InlineData("${lr} $lr", "${lr} $lr")]
    [InlineData("awk '{print $1}'", "awk '{print $1}'")]
    [InlineData("{} {", "{} {")]
    [InlineData("{\"a\": {lr}}", "{\"a\": 0.1}")]
    [InlineData("{{print}}", "{print}")]
    [InlineData("no braces", "no braces")]
    public void Placeholders_become_values_and_other_braces_stay(string text, string filled)
    {
        var items = new ArrayItems(["lr", "seed"], ["9", "9", "0.1", "a b"]);
        Assert.Equal([filled, "{x"], Placeholders.Fill(JobCommand.Program(text, "{x"), items, 1).Words.ToArray());
        Assert.Equal(filled, Placeholders.Fill(JobCommand.Handler(text), items, 1).Line);
    }

    [Fact]
    public void In_a_range_empty_braces_are_the_number()
    {
        ArrayItems items = ArrayRange.Parse("10-20:5").Items;
        Assert.Equal(["15", "15", "x15y"], Placeholders.Fill(JobCommand.Program("{}", "{#}", "x{}y"), items, 1).Words.ToArray());
        Assert.Equal((15, 1), (items.NumberOf(1), items.IndexOf(15)));
        Assert.Null(items.IndexOf(11));
    }

    [Fact]
    public void Variables_and_the_directory_have_placeholders_too()
    {
        ArrayItems items = ArrayRange.Parse("10-20:5").Items;
        JobCommand filled = Placeholders.Fill(ProgramPlace.Apply(JobCommand.Program("env"), new Dictionary<string, string?> { ["SEED"] = "s{}" }, "runs/{}"), items, 1);

        Assert.Equal(("s15", "runs/15"), (filled.Environment["SEED"], filled.Directory));
    }

    [Theory]
    [InlineData("a {lrr} b", 3, "did you mean {lr}?")]
    [InlineData("{x-y}", 1, "known are: {lr}, {seed} and {#}")]
    public void An_unknown_value_is_refused_with_its_position(string text, int position, string next)
    {
        MeshException error = Assert.Throws<MeshException>(() => Placeholders.Check(JobCommand.Program("echo", text), new ArrayItems(["lr", "seed"], ["1", "2"])));
        Assert.Equal(MeshErrors.UnknownPlaceholder, error.Code);
        Assert.StartsWith($"position {position}:", error.Message, StringComparison.Ordinal);
        Assert.Contains(next, error.NextStep, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_that_is_too_long_with_its_values_is_refused() =>
        Assert.Equal(MeshErrors.ArrayTooLarge, Assert.Throws<MeshException>(() => Placeholders.Check(JobCommand.Program("{a}", "{a}"), new ArrayItems(["a"], [new string('x', 40_000)]))).Code);

    [Theory]
    [InlineData("a-7f3kq2m", "a-7f3kq2m", null)]
    [InlineData("a-7f3kq2m/12", "a-7f3kq2m", 12)]
    [InlineData("a-7f3kq2m/x", "a-7f3kq2m/x", null)]
    public void An_array_and_its_elements_are_told_from_jobs(string text, string array, int? element) => Assert.Equal(new ArrayName(array, element), ArrayName.TryRead(text));

    [Fact]
    public void Whole_ids_are_read_back_and_jobs_are_no_arrays()
    {
        ArrayId id = ArrayId.FromIdempotencyKey(Samples.Home, "k");
        Assert.True(ArrayId.TryParse(id.ToString(), out ArrayId same));
        Assert.Equal(id, same);
        Assert.Equal(new ArrayName(id.ToString(), null), ArrayName.TryRead(id.ToString()));
        Assert.Equal(new ArrayName(id.ToString(), 3), ArrayName.TryRead($"{id}/3"));
        Assert.Null(ArrayName.TryRead(Samples.Job.ToString()));
        Assert.Null(ArrayName.TryRead("7f3kq2m"));
        Assert.True(id.JobOf(3, 1).Ulid.IsPart);
        Assert.False(Samples.Job.Ulid.IsPart);
        Assert.Equal(4, new[] { id.JobOf(3, 1), id.JobOf(3, 2), id.JobOf(31, 1), ArrayId.FromIdempotencyKey(Samples.Home, "l").JobOf(3, 1) }.Distinct().Count());
        Assert.True(JobId.TryParse(id.JobOf(3, 1).ToString(), out JobId job));
        Assert.Equal(id.JobOf(3, 1), job);
    }

    private static string Refused(string text) => Assert.Throws<MeshException>(() => ParameterTable.Parse(text, "x")).Code;
}
