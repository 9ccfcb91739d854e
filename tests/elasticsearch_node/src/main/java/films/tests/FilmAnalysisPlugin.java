package films.tests;

import java.util.Map;
import java.util.function.UnaryOperator;

import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.tartarus.snowball.ext.EnglishStemmer;

/**
 * The two token filters of the full distribution's analysis-common module that the product's mapping
 * names and the small distribution lacks. They are Lucene's own, which the server has in its lib.
 */
public class FilmAnalysisPlugin extends Plugin implements AnalysisPlugin {

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "asciifolding", (index, environment, name, settings) -> filter(name, ASCIIFoldingFilter::new),
            "stemmer", (index, environment, name, settings) -> filter(name, stemmer(settings))
        );
    }

    private static UnaryOperator<TokenStream> stemmer(Settings settings) {
        // The server also makes one without settings, to offer it by name.
        String language = settings.get("language", "porter2");
        if (language.equals("porter2") == false) {
            // Another algorithm under this name would be a silent difference from production.
            throw new IllegalArgumentException("this test plugin knows the stemmer porter2 only, not " + language);
        }
        return tokens -> new SnowballFilter(tokens, new EnglishStemmer());
    }

    private static TokenFilterFactory filter(String name, UnaryOperator<TokenStream> create) {
        return new AbstractTokenFilterFactory(name) {
            @Override
            public TokenStream create(TokenStream tokens) {
                return create.apply(tokens);
            }
        };
    }
}
